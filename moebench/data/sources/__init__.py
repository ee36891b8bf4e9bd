"""Where text comes from: the pinned packages, the user's files, or Hugging Face."""

from moebench.data.sources.files import Files
from moebench.data.sources.huggingface import HuggingFace
from moebench.data.sources.packages import Packages
from moebench.data.sources.source import Document, Source, Split

SOURCES = {"packages": Packages, "files": Files, "huggingface": HuggingFace}

__all__ = ["SOURCES", "Document", "Files", "HuggingFace", "Packages", "Source", "Split"]
