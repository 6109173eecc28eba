"""What the published Reward Forcing program does in its own way and a user may want the same: noise, configuration."""
