"""What a model needs of a device's memory, and how it is loaded so that it fits. Imports no torch."""
