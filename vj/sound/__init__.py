"""Sound in: levels, onsets and beats of what plays in the room."""
