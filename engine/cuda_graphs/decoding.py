"""From an autoencoder to what decodes a generator's streams: laid out for its device, recorded, beside the rest."""

from __future__ import annotations

import torch

from engine.acceleration import Acceleration
from engine.cuda_graphs.graphed_decoder import recorded_decoder
from engine.cuda_graphs.recorder import recorder_for
from engine.vae.decode_stream import DecodeStream
from engine.vae.latents import StreamingAutoencoder
from engine.vae.layout import prepare_decoder
from engine.vae.second_device import OnDevice


def decode_beside(autoencoder: StreamingAutoencoder, device: torch.device, acceleration: Acceleration) -> DecodeStream:
    """Bring an autoencoder into the form that is fastest there, in place, and decode with it."""
    is_apart = isinstance(autoencoder, OnDevice)
    device = autoencoder.device if is_apart else device
    prepare_decoder(autoencoder.autoencoder if is_apart else autoencoder, device, is_fused=acceleration.fused)
    # a recorder of its own: what it records runs while the transformer's does
    recorder = recorder_for(device, is_wanted=acceleration.graphs)
    return DecodeStream(recorded_decoder(autoencoder, recorder), device)
