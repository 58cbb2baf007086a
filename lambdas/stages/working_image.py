"""Opening the working copy in the stages behind inspect. It is our own file: an error in it is our own fault.

Must not be used for uploads, which need `decoding.Upload`.
"""

from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lambdas.stages import shrinking


def open_working_image(content: bytes, *, mode: str = "RGB", long_side: int | None = None) -> Image.Image:
    """Decode the working copy, no larger than needed for a long side of at least `long_side`.

    Mode "L" is the JPEG's own luma channel: decoding stops before colours are made.
    """
    # Image.open would import the readers of four more formats before it asks which one is wanted.
    image: Image.Image = JpegImageFile(BytesIO(content))
    shrinking.draft(image, long_side or max(image.size), mode)
    image.load()
    return image if image.mode == mode else image.convert(mode)
