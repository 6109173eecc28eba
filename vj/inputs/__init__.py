"""Pictures from outside: cameras, capture cards, files, streams, screens, and what other programs share."""
