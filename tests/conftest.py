import signal

from hypothesis import settings

# A shell lets what it starts in the background ignore Ctrl-C, and every program that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes is the machine's business.
settings.register_profile("calico-lab", deadline=None)
settings.load_profile("calico-lab")
