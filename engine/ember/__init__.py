"""ember: the small model that ships with the program. Weights beside this file, facts in MODEL_CARD.md."""
