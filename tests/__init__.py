"""Tests: the tree mirrors engine/ and vj/; README.md beside this file names the fixtures."""
