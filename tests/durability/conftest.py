"""The mount that forgets, where the machine lets us mount one."""

import ctypes.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

MOUNT_LIMIT_S = 20


@pytest.fixture
def forgetting_folder(tmp_path):
    """A mounted folder whose unsynced content `cut_power` takes away."""
    if not (os.access("/dev/fuse", os.R_OK | os.W_OK) and ctypes.util.find_library("fuse3")):
        pytest.skip("this machine cannot mount by FUSE: /dev/fuse and libfuse3 are needed")
    folder = tmp_path / "forgetting"
    folder.mkdir()
    script = Path(__file__).with_name("forgetting_files.py")
    mount = subprocess.Popen([sys.executable, str(script), str(folder)])
    end_s = time.monotonic() + MOUNT_LIMIT_S
    while not folder.is_mount():
        assert mount.poll() is None, f"the mount ended with {mount.returncode}"
        assert time.monotonic() < end_s, "not mounted"
        time.sleep(0.01)
    yield folder
    subprocess.run(["fusermount3", "-u", "-z", str(folder)], check=True)
    mount.wait(MOUNT_LIMIT_S)
