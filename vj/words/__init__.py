"""Help with the words of prompts: what a text lacks, and a longer one made of it. Never on the picture's way."""
