"""What can be recorded with: for every codec its kind of file, and the encoders that make it, the best first.

Data alone: whether an encoder is there and opens is found out elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FRAGMENT_S = 0.25  # so much is lost at most of what was written when a recording is cut short
FRAGMENTS = {
    # in pieces while it grows, an ordinary file once it is closed
    "movflags": "hybrid_fragmented",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}
CLUSTERS = {"cluster_time_limit": str(round(FRAGMENT_S * 1e3)), "flush_packets": "1"}


@dataclass(frozen=True)
class Coder:
    """One encoder with what it is opened with."""

    name: str  # FFmpeg's
    words: str  # for the performer
    pixels: str = "yuv420p"  # FFmpeg's pixel format
    options: Mapping[str, str] = field(default_factory=dict)
    bits_per_pixel: float = 0.0  # for encoders that know no quality
    device: str = ""  # kind of hardware device pictures are brought to first
    is_hardware: bool = False


@dataclass(frozen=True)
class FileKind:
    """What a codec is kept in."""

    form: str  # FFmpeg's container
    suffix: str
    options: Mapping[str, str]
    sound: str  # FFmpeg's encoder
    coders: tuple[Coder, ...]
    multiple: int = 2  # width and height are cut down to a multiple of it, pixels
    tag: str = ""  # of the video track; empty = the container's usual one


def _hardware(family: str, bits_per_pixel: float) -> tuple[Coder, ...]:
    """The encoders on cards for "h264" or "hevc", in order of how much they are worth."""
    constant = {"preset": "p4", "tune": "ull", "rc": "vbr", "cq": "19", "bf": "0", "forced-idr": "1", "delay": "0"}
    return (
        Coder(f"{family}_nvenc", "NVIDIA", "nv12", constant, is_hardware=True),
        Coder(
            f"{family}_videotoolbox",
            "Apple",
            "nv12",
            {"realtime": "1", "allow_sw": "0"},
            bits_per_pixel,
            is_hardware=True,
        ),
        Coder(
            f"{family}_amf",
            "AMD",
            "nv12",
            {"usage": "lowlatency_high_quality", "forced_idr": "1"},
            bits_per_pixel,
            is_hardware=True,
        ),
        Coder(
            f"{family}_qsv",
            "Intel",
            "nv12",
            {"preset": "veryfast", "global_quality": "20", "async_depth": "1", "bf": "0", "forced_idr": "1"},
            is_hardware=True,
        ),
        Coder(f"{family}_vaapi", "VA-API", "nv12", {"qp": "20", "bf": "0"}, device="vaapi", is_hardware=True),
    )


MP4 = ("mp4", ".mp4", FRAGMENTS)
MOV = ("mov", ".mov", FRAGMENTS)
MKV = ("matroska", ".mkv", CLUSTERS)
FILE_KINDS: dict[str, FileKind] = {
    "h264": FileKind(
        *MP4,
        sound="aac",
        coders=(
            *_hardware("h264", 0.15),
            Coder(
                "libx264",
                "x264",
                options={"preset": "veryfast", "tune": "zerolatency", "crf": "14", "forced-idr": "1"},
            ),
            Coder("libopenh264", "OpenH264", bits_per_pixel=0.2),
        ),
    ),
    "hevc": FileKind(
        *MP4,
        sound="aac",
        tag="hvc1",
        coders=(
            *_hardware("hevc", 0.1),
            Coder(
                "libx265",
                "x265",
                options={
                    "preset": "ultrafast",
                    "tune": "zerolatency",
                    "crf": "16",
                    "forced-idr": "1",
                    "x265-params": "log-level=error",
                },
            ),
        ),
    ),
    "prores": FileKind(
        *MOV,
        sound="pcm_s24le",
        coders=(
            Coder("prores_videotoolbox", "Apple ProRes", "yuv422p10le", {"profile": "standard"}, is_hardware=True),
            Coder("prores", "ProRes 422", "yuv422p10le", {"profile": "2"}),
        ),
    ),
    "hap": FileKind(*MOV, sound="pcm_s16le", multiple=4, coders=(Coder("hap", "HAP", "rgba", {"format": "hap"}),)),
    "ffv1": FileKind(
        *MKV,
        sound="pcm_s16le",
        multiple=1,
        coders=(
            Coder("ffv1", "FFV1", "bgr0", {"level": "3", "slices": "12", "slicecrc": "1", "g": "1", "context": "0"}),
        ),
    ),
}

HARDWARE = frozenset(coder.name for kind in FILE_KINDS.values() for coder in kind.coders if coder.is_hardware)


def coded_size(kind: FileKind, width: int, height: int) -> tuple[int, int]:
    """Width and height in the file, pixels: what no encoder takes is cut off at the right and at the bottom."""
    return max(1, width // kind.multiple) * kind.multiple, max(1, height // kind.multiple) * kind.multiple
