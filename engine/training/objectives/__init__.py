"""What the transformer is trained on, stage by stage: a loss each, and the settings with the published constants."""
