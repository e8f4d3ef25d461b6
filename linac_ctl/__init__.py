"""linac-ctl: a control simulator for image-guided radiotherapy machines. For engineers; never a medical device."""

__version__ = "0.1.0"
