"""What moves parameters by itself: sixteen modulators from clock and sound to any parameter."""
