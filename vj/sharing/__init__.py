"""The output for other programs: NDI, Spout, Syphon and a virtual camera, each sent by a process of its own."""
