"""The text of a board's configuration file: every key that a user may want, with its reason.

Pure. `lumenode init` fills it in for the machine at hand, and the sample in the docs is the same
text with nothing found: so no sample can say what the software does not do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.base.toml_string import quoted

if TYPE_CHECKING:
    from flight.io.absent_sensors import SensorName

SEGMENT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardChoice:
    """What was found out about a machine, and chosen for it.

    Attributes:
        board: its model, as its firmware says; "" when it does not.
        hal, keys, data, provider: as in `BoardSection`.
        frames, frames_path: as in `FramesSection`.
        profile, profile_why: board profile, and in a few words what it is worth.
        absent: sensors the board does not have.
        cap_bytes, folder_bytes: of products, and of the whole data folder at most.
        mqtt: with a broker that the node brings along.
        notes: lines for the head of the file.
    """

    board: str = ""
    hal: str = "sim"
    keys: str = "keys"
    data: str = "data"
    provider: str = "cpu"
    frames: str = "replay"
    frames_path: str = ""
    profile: str = "orin-nano-modelled"
    profile_why: str = "modelled, not measured"
    absent: tuple[SensorName, ...] = ()
    cap_bytes: int = 1_000_000_000
    folder_bytes: int = 4_024_388_608
    mqtt: bool = False
    notes: tuple[str, ...] = ()


def config_text(choice: BoardChoice) -> str:
    """The whole file."""
    head = f"\n# Board: {choice.board}." if choice.board else ""
    head += "".join(f"\n# {line}" for line in choice.notes)
    return TEXT.format(
        head=head,
        hal=quoted(choice.hal),
        keys=quoted(choice.keys),
        data=quoted(choice.data),
        provider=quoted(choice.provider),
        source=quoted(choice.frames),
        frames_path=quoted(choice.frames_path),
        profile=quoted(choice.profile),
        profile_why=choice.profile_why,
        absent="[" + ", ".join(quoted(name) for name in choice.absent) + "]",
        battery=_battery(choice),
        cap=f"{choice.cap_bytes:_}",
        folder_mb=str(choice.folder_bytes // 1_000_000),
        segment=f"{SEGMENT_BYTES:_}",
        mqtt=str(choice.mqtt).lower(),
    )


def _battery(choice: BoardChoice) -> str:
    if "battery" in choice.absent:
        return "# as the node believes it to be; not used: this board has no battery sensor"
    if choice.hal == "sim":
        return '# as the node believes it to be; this one suits the "sim" backend'
    return "# as the node believes it to be; fill in your own"


TEXT = """\
# A node on a board, for `lumenode fly --config FILE`. Every key may be left out; what stands here
# is the default unless it says otherwise. Paths are relative to this file.{head}

name = "lumenode-1"

[board]
# Hardware layer: "sim" is a node at rest in full sun, "linux" the board this runs on,
# "link:/dev/ttyUSB0" a bench at the far end of a serial line.
hal = {hal}
# On a line: "lock-step" goes by the bench's time, "free-run" has both go by their own clocks; the
# bench must say the same. Its rate in bit/s, 8N1; less cannot carry a 10 Hz loop with its frames.
# Frames that wait for it; no fewer than the bench gives credit for.
link_mode = "lock-step"
link_baud = 921_600
link_fifo_frames = 64
# Link keys, made once by: lumenode keys init DIR. The ground's half does not belong on the board.
keys = {keys}
# The product store; one flight process at a time has it.
data = {data}
# What ONNX Runtime computes with: cpu, cuda, tensorrt, or auto: the best of these that it has. It
# never falls back to another.
provider = {provider}
# That a network runs on; a board profile holds for the number that it was measured with.
threads = 1
# Ticks a second, a divisor of 1000; the cycle of one second is made of them.
tick_hz = 10
# Payload and laser go off after so many ticks without a sign of life from the software.
guard_ticks = 20
# Real-time priority (SCHED_FIFO) of the loop, 1 to 90, see lumenode.service; 0: ordinary.
rt_priority = 0

[frames]
# "replay": a tile cache over and over; "folder": what a camera process moves in there;
# "camera": a Video4Linux camera, which needs the bands of [frames.camera] (docs/camera.md).
source = {source}
# Tile cache, folder or device; empty: the default imagery (lumenode fetch-data).
path = {frames_path}
poll_s = 0.5           # how often the folder is looked at

[frames.camera]        # counts for source = "camera" alone
# Its plane (red, green, blue or grey) for each of B2, B3, B4, B8, B11 and B12. No camera has all
# of these, so whoever has one must say: nothing is assumed.
bands = []
format = "YUYV"        # V4L2's name; with the size one that `v4l2-ctl --list-formats-ext` tells
width_px = 640
height_px = 480
tile_px = 256          # side of a tile, a multiple of 32
tiles_across = 1       # tiles out of the middle of each picture
tiles_down = 1
full_scale = 10_000    # reflectance x 10 000 that a full count stands for: your calibration
black_level = 0        # counts without light, of a raw format
curve = ""             # srgb or linear; empty: what is usual with the format
timeout_s = 2.0        # a later picture is lost, and the camera started anew
settle_frames = 8      # thrown away after each start, while its exposure settles

[terminal]
# A laser terminal on a serial line (docs/terminal.md), by the name that stays over a replug:
# "/dev/serial/by-id/..."; empty: none but what the hardware layer has itself. Take "laser",
# "terminal" and "rx_power" out of sensors.absent where it measures them.
device = ""
baud = 921_600         # bit/s; 0 leaves the port as it is

[camera]
cadence_s = 4.0        # a frame every so long
backlog_frames = 16    # frames that may wait for the payload
deadline_s = 600.0     # an older frame is worth nothing

[inference]
# Folder of networks of your own, each with its manifest (docs/models.md); empty: the shipped ones.
models = ""
model = "cloud_unet"
variant = "fp32"                 # fp32, int8, small, or auto: the faster of the first two here
cascade = false                  # the small variant looks first; a tile that it finds cloudy
cascade_cloud_min = 0.85         # from this share on is done with that
confirm_value = 0.0              # a tile that may be worth as much is run twice; 0: none is
upload = true                    # take models that the ground has signed
# Board profile: {profile_why}.
# A shipped one by name, or the path of a TOML file that `lumenode models profile` wrote.
profile = {profile}
governor = "guard"               # guard, planner, or none: always the highest level

[linux]                # only with hal = "linux"; docs/hal.md has the rest of its keys
period_ms = 200        # every sensor of the board is read once in it, by threads of their own
stale_ms = 2000        # an older value is none
watchdog = "none"      # device: the kernel's, kicked while nobody in the node stands still

[linux.roles]
# The sensor that is what, by the names that `lumenode doctor` shows: "" is the board's own choice,
# which die and payload have, "-" none. One that is given here is not in sensors.absent.
die = ""
payload = ""
bus = ""
battery = ""

[sensors]
# What this board does not measure: neither waited for nor told as lost. Without "battery" it counts
# as fed from outside, without "sink" that is taken from the die, without both nothing watches heat.
absent = {absent}

[battery]              {battery}
series = 8             # (default 6)
parallel = 2
cell_capacity_ah = 3.5
cell_resistance_ohm = 0.055

[store]
# Bytes of products. With these two keys the data folder never takes more than {folder_mb} MB.
cap_bytes = {cap}
segment_bytes = {segment}  # of one file in there; a reserve of the same size is held back
commit_period_s = 5.0      # new products are made durable together this often
quota_imaging = 1.0        # share of the queue that results may take; at it, the dullest of them go
quota_telemetry = 1.0      # the same of recorded telemetry
quota_commanding = 1.0     # the same of what was asked for by command

[link]
spacecraft_id = 19534
frame_bytes = 8192
coding = "none"          # "rs": sync marker, randomiser, Reed-Solomon for a terminal without; 2048

[mqtt]                   # telemetry out and sealed commands in over a broker; see mosquitto.md
enabled = {mqtt}
embedded = {mqtt}         # true: brings its broker along (extra "broker"), for this machine alone
host = "127.0.0.1"       # a broker elsewhere needs ca_file
port = 1883
ca_file = ""             # certificates the broker's must be signed by; empty is no TLS
cert_file = ""           # this node's own certificate and key, where the broker asks for them
key_file = ""
plain = false            # true: a broker elsewhere without TLS
client_id = ""           # empty: the node's name
username = ""
password_file = ""       # mode 0600
keepalive_s = 30
queue_messages = 512     # wait while there is no broker; beyond it the oldest goes, counted
reconnect_max_s = 16.0   # waits between tries double up to this
"""
