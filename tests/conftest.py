import signal

from hypothesis import settings

# A shell lets what it starts in the background ignore Ctrl-C, and nohup a hang-up; every program that a test starts would
# inherit that. A program that is started does not inherit a handler, and this one does nothing, so nohup still holds.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)
# How long an example takes is the machine's business.
settings.register_profile("calico-lab", deadline=None)
settings.load_profile("calico-lab")
