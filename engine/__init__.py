"""The generator: streaming causal video diffusion and its training. Knows nothing of windows or controllers.

Dimension key, used in every shape comment below this folder:
    B batch · F latent frames · T frames (pixels) · C channels · H, W height and width (latent or pixel, as said)
    L query tokens · S cached tokens · N heads · D head width · E model width
Latents are (B, F, C, H, W) everywhere; only `vae/` and the patch embedding permute. One latent frame is 4 frames;
the first latent frame of a stream is 1 frame.
"""
