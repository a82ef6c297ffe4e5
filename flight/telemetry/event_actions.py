"""What an operator does about an event: one sentence for each of WARNING and above.

Beside the table of events and not in it: nobody on board reads it. The interface pages, the page
on operating and `lumenode watch` do.
"""

from __future__ import annotations

EVENT_ACTIONS: dict[str, str] = {
    "MODE_REFUSED": "Read the reason; SAFE is left only when none of its criteria holds, a contact "
    "alone leads to DOWNLINK.",
    "SERVICE_FAILED": "Wait: it is started again by itself. Keep the error for a report.",
    "SERVICE_RESTARTED": "Nothing; five of them within two minutes and the service is given up.",
    "SERVICE_GIVEN_UP": "Find the cause in the last SERVICE_FAILED; RESET_NODE starts all of them.",
    "GUARD_TRIPPED": "The software stood still and the node is in SAFE: look at tick.* and "
    "guard.*, then SET_MODE mode=IDLE.",
    "LIMIT_VIOLATED": "Look at the channel; a red limit is followed by its recovery.",
    "SENSOR_STALE": "Look for HAL_FAILED; `lumenode doctor` on the board says what answers.",
    "RECOVERY_FIRED": "It has acted; find its condition, remove the cause, then SET_MODE mode=IDLE "
    "if it entered SAFE.",
    "HAL_FAILED": "Check the device and its wiring with `lumenode doctor`; the node goes on "
    "without it.",
    "GUARD_DEGRADED": "One watcher less: payload and laser are still guarded by the other one. "
    "Restart at the next occasion.",
    "INFERENCE_FAILED": "Nothing for one; if they go on, DISABLE_INFERENCE and look at "
    "inference.failed_total.",
    "OUTPUT_IMPLAUSIBLE": "The answer was thrown away; if they go on, check the camera's bands and "
    "scale.",
    "FRAMES_DROPPED": "The payload is slower than the camera: a longer camera.cadence_s, or a "
    "faster variant.",
    "REALTIME_REFUSED": "Give the unit its limits (LimitRTPRIO, LimitMEMLOCK), or set "
    "board.rt_priority = 0.",
    "PRODUCT_EVICTED": "More was made than the contacts carry: lower queue.pressure_bytes, or "
    "DELETE_PRODUCT and REPRIORITISE by hand.",
    "QUEUE_FULL": "As PRODUCT_EVICTED; only frames denser in value than what would give way are "
    "computed until QUEUE_EASED.",
    "QUOTA_REACHED": "The least valuable products of that producer give way: more contacts, or a "
    "larger node.store.quota of it.",
    "STORE_FAILED": "Look at the medium: full, worn or read-only. What is not durable is not "
    "acknowledged.",
    "STORE_STALLED": "The medium does not answer: products wait in memory, bounded. Plan its "
    "replacement.",
    "RECORD_REPAIRED": "Nothing for one; many of them are a medium that is dying.",
    "LINK_LOST": "Nothing: what was lost is sent again. Often in one place: pointing or weather.",
    "CONTACT_FAILED": "Check the pass and the pointing; the products wait for the next one.",
    "REPORT_REJECTED": "Check that the ground's receiver is of the same version.",
    "TERMINAL_FAULT": "Read the faults in docs/terminal.md; the laser is off meanwhile.",
    "COMMAND_REJECTED": "Read the reason; nothing was done.",
    "COMMAND_FAILED": "Read the reason; it was begun and not completed.",
    "FRAME_REJECTED": "One may be noise. Many are wrong keys, a counter that was used before, or "
    "somebody else.",
    "KEEP_OUTS_REFUSED": "Read the reason; the windows that stood before still stand.",
    "COMMAND_LOSS": "Send NO_OP, then SET_MODE mode=IDLE; find out why the node heard nothing.",
    "BROKER_LOST": "Read the error; the node tries again by itself and loses only messages, which "
    "it counts.",
    "TERMINAL_SILENT": "Check its line and power; `lumenode doctor` asks it.",
    "FATAL_ERROR": "The software ended, and is started again by its unit; keep the text for a "
    "report.",
    "BOOT_LOOP": "The node is in SAFE on defaults: remove the cause, CLEAR_RESETS, load the "
    "parameters again.",
    "BOOT_RECORD_DAMAGED": "Nothing for one; the other copy holds. Again: the medium.",
    "RATE_OVERRUN": "Nothing for one; if they go on, rate.* and sys.cpu_s say what takes the time: "
    "a slower camera, or board.rt_priority above 0.",
    "RESET_ORDERED": "Nothing: somebody asked for it.",
    "BOOT_BEAT_FAILED": "Look at the medium; the next reset cause may be told wrong.",
    "SEQUENCE_STEP_MISSED": "Decide whether it still makes sense; SEQUENCE_ABORT ends it.",
    "SEQUENCE_ABORTED": "Read the reason; steps done stay done. Start it again when it is removed.",
    "LOAD_REFUSED": "Read the reason; the former set is still in force. Correct and send it again.",
    "HEALTH_CHANGED": "Read the new word: NEEDS_RECOVERY is being dealt with, FAULTY needs you.",
    "HEARTBEAT_LOST": "Wait for its recovery; if there is none, RESET_NODE.",
    "PARAMETER_COPY_BAD": "Nothing: the other copy holds and the bad one is written again.",
    "PARAMETERS_LOST": "Look at them with DUMP_PARAMETERS, load them again.",
    "PARAMETER_IGNORED": "Set it again within its range.",
    "EVENT_FILTER_LOST": "Set it again with FILTER_EVENTS and HOLD_EVENT, if it is still wanted.",
    "TARGET_DRIFTED": "The part does not do what the mode wants: look at its read-back; its "
    "recovery puts it out and enters SAFE.",
    "RECOVERY_EXHAUSTED": "Find what keeps failing; RECOVERY_ARM gives the row a new budget.",
    "RECOVERY_FAILED": "Do by hand what the row would have done.",
    "WEIGHTS_REPAIRED": "Nothing: radiation or bad memory. Count them.",
    "ANSWER_DOUBTED": "Nothing: it was settled. Often: bad memory, plan a restart.",
    "MODEL_DISTRUSTED": "No answer is better than a wrong one: RESET_NODE, or load another model.",
    "MODEL_REFUSED": "Read the reason; the model in force flies on. Sign or rebuild it, then load "
    "it again.",
    "MODEL_ROLLED_BACK": "Nothing: the former model flies. Find out what the new one did on the "
    "ground.",
    "MODEL_COPY_MENDED": "Nothing for one; many of them are a medium that is dying.",
    "UTC_STEPPED": "Check who steps the clock; relative delays are not touched.",
}
