"""Where the picture goes besides the displays: files and other programs."""
