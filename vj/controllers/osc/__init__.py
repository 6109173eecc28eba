"""OSC: what is heard, what is told, templates for other programs, and OSCQuery. No Qt."""
