"""OpenGL's numbers, as the library passes them on."""

GL_RGBA = 0x1908
