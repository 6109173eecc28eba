"""Rendering to files: what is asked for, as plans and jobs, played without a clock."""
