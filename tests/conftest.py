import signal

from hypothesis import settings

# A shell lets what it starts in the background ignore Ctrl-C, and nohup a hang-up; a program that a test starts
# would inherit that. It does not inherit a handler; the one for a hang-up does nothing, so that nohup still holds here.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)
# How long an example takes is the machine's business.
settings.register_profile("calico-lab", deadline=None)
settings.load_profile("calico-lab")
