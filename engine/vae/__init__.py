"""The autoencoders between latents and frames, all streaming. Knows nothing of diffusion, prompts or displays."""
