"""Write a trained run as one folder that another machine can use, with or without torch."""

from lentigo.export.run import Exported, export

__all__ = ["Exported", "export"]
