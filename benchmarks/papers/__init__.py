"""Papers: published claims tried again with the project's own code, one short file each.

Each module has TITLE, SETTING and `run(lab) -> Outcome`; `python -m playground reproduce NAME` runs it to the end.
"""

NAMES = ("baldi1989", "hinton2006", "rifai2011", "ng2011", "vincent2010", "alain2014", "unet2015")
