"""From frames to screens: playback clock, renderer, windows. Knows nothing of panels, controllers or the store."""
