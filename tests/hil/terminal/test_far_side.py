"""Who hears the light: a listener counts, a mirror answers within its bound."""

from hil.terminal.far_side import MIRROR_FRAMES_MAX, MirrorPeer, SilentPeer


def test_a_listener_counts_and_says_nothing() -> None:
    peer = SilentPeer()
    peer.on_frame(b"x", 0)
    assert (peer.frames, peer.uplink(0)) == (1, [])


def test_a_mirror_sends_back_in_order_once() -> None:
    peer = MirrorPeer()
    for frame in (b"a", b"b"):
        peer.on_frame(frame, 0)
    assert peer.uplink(1) == [b"a", b"b"]
    assert peer.uplink(2) == []


def test_what_a_mirror_cannot_keep_is_lost_and_counted() -> None:
    peer = MirrorPeer()
    for _ in range(MIRROR_FRAMES_MAX + 3):
        peer.on_frame(b"x", 0)
    assert (peer.frames, peer.lost, len(peer.uplink(0))) == (
        MIRROR_FRAMES_MAX + 3,
        3,
        MIRROR_FRAMES_MAX,
    )
