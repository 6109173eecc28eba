"""The stage: a process with the output and nothing else, which goes on when everything behind it has ended."""
