"""A checkout with the reference's entry points, made of our own parts: what the harness needs, and traps it must avoid.

The package's `__init__` and the text encoder fail when they are imported, as those of the reference would here.
"""

from pathlib import Path

FILES = {
    "configs/default_config.yaml": "context_noise: 0\nwarp_denoising_step: false\n",
    "configs/reward_forcing.yaml": (
        "denoising_step_list: [1000, 750, 500, 250]\nwarp_denoising_step: true\nnum_frame_per_block: 3\n"
        "checkpoint_path: checkpoints\nmodel_kwargs: {local_attn_size: 9, sink_size: 3}\n"
    ),
    "pipeline/__init__.py": "raise ImportError('training was imported')\n",
    "pipeline/causal_inference.py": """
import torch
from demo_utils.memory import gpu
from utils.wan_wrapper import WanDiffusionWrapper, WanVAEWrapper

class CausalInferencePipeline(torch.nn.Module):
    def __init__(self, args, device, text_encoder=None):
        super().__init__()
        self.generator = WanDiffusionWrapper(args.checkpoint_path, **args.model_kwargs)
        self.text_encoder, self.vae = text_encoder, WanVAEWrapper(args.checkpoint_path)
        self.denoising_step_list, self.num_frame_per_block = args.denoising_step_list, args.num_frame_per_block
        self.frame_seq_length, self.num_transformer_blocks, self.local_attn_size = 1560, 30, 9
        assert args.warp_denoising_step, "the published configuration lies over the default one"

    def inference(self, noise, text_prompts, return_latents):
        assert self.kv_cache1[0]["k"].shape[1] == 9 * self.frame_seq_length
        prompt = self.text_encoder(text_prompts=text_prompts)["prompt_embeds"]
        self.generator.begin(noise)
        made = []
        for block in noise.split(self.num_frame_per_block, dim=1):
            self.generator.cache.begin_chunk(block.shape[1])
            for timestep in [*self.denoising_step_list, 0]:
                self.generator(block, prompt, float(timestep))
            made.append(block)
        latents = torch.cat(made, dim=1)
        return self.vae.decode_to_pixel(latents), latents
""",
    "utils/wan_wrapper.py": """
import torch
from engine.caches.slot_cache import SlotCache
from wan.modules import causal_model
from wan.modules.causal_model import CausalWanModel
from wan.modules.t5 import umt5_xxl
from wan.modules.vae import _video_vae

class WanDiffusionWrapper(torch.nn.Module):
    def __init__(self, checkpoint_path, local_attn_size, sink_size):
        super().__init__()
        self.model = CausalWanModel.from_pretrained(checkpoint_path, local_attn_size=local_attn_size, sink_size=3)
        self.seq_len = 32760

    def begin(self, noise):
        self.cache = SlotCache(self.model.config, *noise.shape[-2:], device=noise.device, dtype=noise.dtype)

    def forward(self, latents, prompt, timestep):
        assert prompt.any(), "a prompt of zeros"
        q = torch.ones(1, 4, 2, 8, dtype=latents.dtype)
        assert causal_model.attention(q, q, q).shape == q.shape
        times = torch.full(latents.shape[:2], timestep)
        return self.model(latents, times, self.model.encode_text(prompt), self.cache)

class WanVAEWrapper(torch.nn.Module):
    def __init__(self, checkpoint_path):
        super().__init__()
        self.model = _video_vae(pretrained_path=f"{checkpoint_path}/Wan2.1_VAE.pth", z_dim=16)

    def decode_to_pixel(self, latent, use_cache=False):
        return torch.zeros(1, 4 * latent.shape[1] - 3, 3, 8, 8)
""",
    "demo_utils/memory.py": "import torch\ngpu = torch.device(f'cuda:{torch.cuda.current_device()}')\n",
    "demo_utils/taehv.py": "",
    "wan/__init__.py": "raise ImportError('image input was imported')\n",
    "wan/modules/__init__.py": "raise ImportError('image input was imported')\n",
    "wan/modules/t5.py": "import ftfy_that_is_absent\n",
    "wan/modules/attention.py": """
FLASH_ATTN_2_AVAILABLE = FLASH_ATTN_3_AVAILABLE = False

def flash_attention(q, k, v):
    assert q.device.type == "cuda" and FLASH_ATTN_2_AVAILABLE

attention = flash_attention
""",
    "wan/modules/model.py": "from .attention import flash_attention\n",
    "wan/modules/causal_model.py": """
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from wan.modules.attention import attention

class CausalWanModel(CausalWanTransformer, ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self, local_attn_size, sink_size, **geometry):
        super().__init__(ModelConfig(window_frames=local_attn_size, sink_frames=sink_size, **geometry))
        for block in self.blocks:
            block.self_attn.max_attention_size = 0
""",
    "wan/modules/vae.py": """
import torch
from engine.vae.wan_vae import WanVae, WanVaeConfig

def _video_vae(pretrained_path=None, z_dim=None, device="cpu", dim=96):
    model = WanVae(WanVaeConfig(dim=dim))
    model.load_state_dict(torch.load(pretrained_path, map_location=device), assign=True)
    model.clear_cache = lambda: None
    return model
""",
}


def write_reference(folder: Path) -> Path:
    """Write the stand-in and return its folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
