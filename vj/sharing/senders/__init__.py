"""One module per way of sending pictures to other programs, behind the protocol of `sender.py`."""
