"""Runs over 60 seconds: each writes its figures with commit and duration; its short form is in the suite."""
