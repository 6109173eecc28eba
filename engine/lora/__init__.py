"""LoRA files of every common style, merged into a playing model by weight and taken out again without a trace."""
