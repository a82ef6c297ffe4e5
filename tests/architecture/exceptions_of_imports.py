"""Who may import what beyond the rule; a reason a line."""

# The bench may always import these of flight: values, codecs and ports, no decisions.
OPEN_TO_THE_BENCH = {
    "flight.wire": "wire types belong to nobody",
    "flight.telemetry.dictionary": "the one source of channels, events and commands",
    "flight.telemetry.event_log": "events as values, for the listener",
    "flight.base.clock": "the port through which flight's services are told the time",
    "flight.config": "a scenario embeds the node's configuration and its errors",
    "flight.link_config": "sections of that configuration",
    "flight.command_text": "a timeline writes commands as a sequence does",
    "flight.commanding.sequence": "a sequence is a value with a codec",
    "flight.commanding.upload_plan": "which commands make up a load",
    "flight.sequence_file": "a timeline uploads sequences",
    "flight.one_line_parser": "arguments are refused alike by every command",
    "flight.keys": "both ends of a link need its keys",
    "flight.inference.job": "tiles, jobs and results are values",
    "flight.inference.tile_cache": "the cache that flight reads is written on the ground",
    "flight.inference.tile_pixels": "tiles as arrays",
    "flight.inference.model_manifest": "what is said of a model is values",
    "flight.inference.model_registry": "verified model bytes are values",
    "flight.inference.mask_product": "the ground decodes what the node encodes",
    "flight.inference.png_image": "the ground decodes what the node encodes",
    "flight.thermal.board_profile": "the plant's board costs what the profile says",
}

# (module or package of the bench, module of flight): reason.
BENCH_TO_FLIGHT = {
    ("hil.board_engine", "flight.inference.inline_engine"): "the engine with a modelled duration",
    ("hil.board_engine", "flight.inference.screening"): "what it remembers is the screened answer",
    ("hil.terminal.ground_peer", "flight.board_config"): "which frames the node flies with",
    ("hil.terminal.ground_peer", "flight.operator_cli"): "one counter for one uplink key",
    ("hil.score", "flight.thermal"): "scores the pure cores of planner and guard",
    ("hil.score", "flight.downlink"): "flies queue, ARQ and plan against a case",
    ("hil.score", "flight.inference.npz_members"): "opens arrays that nobody vouches for",
    ("hil.training", "flight.inference"): "trains and describes the models that flight runs",
}

# Whole files of the bench that stand at the seam: they compose flight, or score its pure cores.
BENCH_SEAMS = {
    "hil.sim_target": "the in-process target composes flight",
    "hil.sim_boot": "gives that node its boot record",
    "hil.product_life": "opens a node's store with the node's own code",
}

# Leaves of flight: import nothing of flight but one another.
LEAVES = (
    "flight.base",
    "flight.wire",
    "flight.telemetry.dictionary",
    "flight.telemetry.definitions",
    "flight.telemetry.channel_table",
    "flight.telemetry.channel_traits",
    "flight.telemetry.queue_table",
    "flight.telemetry.health_channels",
    "flight.telemetry.event_table",
    "flight.telemetry.command_table",
    "flight.telemetry.parameter_table",
)

# The composition root and what starts it.
APP = (
    "flight.app",
    "flight.composition",
    "flight.board_node",
    "flight.board_parts",
    "flight.board_flight",
    "flight.bench_seat",
    "flight.init_command",
    "flight.restore_command",
    "flight.fly_command",
    "flight.doctor",
    "flight.doctor_command",
    "flight.send_command",
    "flight.send_load",
    "flight.send_dump",
    "flight.watch_command",
    "flight.export_command",
    "flight.broker_command",
    "flight.__main__",
)

# A name ending so is a skin or an adapter: it may await, and touch files, sockets, processes.
SKIN_SUFFIXES = ("_service", "_ort", "_sqlite", "_mqtt", "_serial", "_process", "_cli")

# Skins whose name does not say so; a reason each.
SKINS = {
    "flight.base.clock": "the clock itself, the only place that reads one",
    "flight.base.granted_loop": "an event loop, for a node whose time a bench grants",
    "flight.base.rate_group": "holds the runner beside the pure group",
    "flight.base.supervisor": "supervision awaits its children",
    "flight.executive": "the main loop",
    "flight.io": "the edge of the hardware layer",
    "flight.config": "the only reader of the node's TOML",
    "flight.command_text": "its errors are those of configuration",
    "flight.sequence_file": "the only reader of sequence files",
    "flight.board_boot": "the one door to the boot record's file and the fault handler's",
    "flight.board_camera": "opens a camera",
    "flight.board_config": "the same for a board",
    "flight.board_devices": "opens the hardware layer",
    "flight.board_linux": "opens the board as one, and waits for its first readings",
    "flight.board_survey": "looks at the machine",
    "flight.inference.board_profiler": "awaits the worker and samples the hardware meanwhile",
    "flight.data_folder": "claims the data folder and knows its layout",
    "flight.board_arrivals": "waits for the frames of the C layer",
    "flight.board_tick": "waits for the tick of the C layer",
    "flight.device_config": "the same for a camera and a laser terminal",
    "flight.event_journal": "writes events to the terminal",
    "flight.host_measures": "reads the machine's own figures",
    "flight.terminal_line_measures": "reads the figures of a serial line",
    "flight.thermal.plan_thread": "the planner's solver on a thread of its own",
    "flight.start_up": "asks store and board about the last start",
    "flight.downlink.contact_session": "tells the terminal what the PAT machine wishes",
    "flight.downlink.product_intake": "drives store and queue",
    "flight.keys": "the only reader and maker of key files",
    "flight.broker_certificates": "makes the key files of a broker's clients",
    "flight.inference.camera_source": "tiles come from a camera and are awaited",
    "flight.inference.frame_source": "tiles come from a folder and are awaited",
    "flight.inference.held_engine": "the engine of granted time awaits worker and due time",
    "flight.inference.inline_engine": "the engine of simulation awaits the modelled duration",
    "flight.inference.model_registry": "reads models and manifests",
    "flight.inference.model_store": "keeps models in the data folder",
    "flight.model_keys": "reads and writes key files of models",
    "flight.inference.side_thread": "the second thread of the worker's process",
    "flight.inference.tile_cache": "reads tile files",
    "flight.inference.labelled_file": "reads labelled tile files",
    "flight.inference.worker_child": "starts and ends the worker's process",
    "flight.inference.worker_main": "the worker's process itself",
    "flight.downlink.file_store": "the one door to segment files",
    "flight.downlink.store_space": "makes and gives up the reserve file",
    "flight.downlink.store_recovery": "rebuilds the SQLite index from the segments",
    "flight.downlink.file_store_memory": "its fake, a product",
    "flight.downlink.segment_tending": "moves records between segments",
    "flight.downlink.writer_thread": "the one thread that may wait for the medium",
}

# Who may import onnxruntime.
ONNXRUNTIME = {
    "flight.inference.session_ort": "the one session",
    "hil.training.export_onnx": "quantises with it; training only",
    "hil.training.range_clip": "measures activations with it; training only",
    "hil.training.train_cloud_unet": "checks that it is there before hours of training",
}
