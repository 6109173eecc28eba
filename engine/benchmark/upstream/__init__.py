"""The reference implementation from the user's checkout, timed with the same random weights; nothing of it is here."""
