"""How much of an image Darkroom takes on, and why. Every number is compared before pixels are decoded.

Must not hold a limit that the work does not need: each one refuses somebody's picture.
"""

MAX_BYTES = 50 * 1024 * 1024
"""As large as the upload form allows; a 100 MP JPEG of a phone has 20 to 40 MB."""

MAX_PIXELS = 100_000_000
"""The largest sensors on sale. A baseline JPEG is decoded in rows: it takes 15 MB, whatever its size."""

MAX_COEFFICIENT_BYTES = 400 * 1024 * 1024
"""What libjpeg keeps of a JPEG in several scans until the last one has come, whatever scale is asked for: 2 bytes a
sample. That is 3 bytes a pixel as cameras and the web write them (4:2:0), 6 without subsampling, 8 in CMYK."""

MAX_WHOLE_PIXELS = 50_000_000
"""For formats without JPEG's scaled decoding. Pillow keeps 4 bytes a pixel of them, 200 MB; inspect peaks at 225 MB."""

MAX_COPIED_PIXELS = 30_000_000
"""For WebP and AVIF, whose decoders hand their pixels over as a copy. Measured: inspect peaks at 15.3 bytes a pixel for
WebP (the decoder's two canvases, the copy, and the image) and 12.6 for AVIF with alpha: 480 MB of the 512 there are."""

MAX_SIDE = 30_000
"""Half of what JPEG can say (65,535); longer strips are no photographs, and rows of them defeat tiling."""

MAX_FRAMES = 1_000
"""Only the first frame is analysed; the rest is counted, and a file can claim two thousand million of them."""

MAX_CHUNKS = 400_000
"""Blocks of a file's own structure, each some microseconds of Python. A 50 MB GIF has 200,000 full ones."""

MAX_SCANS = 100
"""Passes of a progressive JPEG. Encoders write about ten; each walks over all pixels and need not cost 20 bytes."""

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Text in a PNG, inflated: its zTXt chunks can grow a thousandfold. Pillow alone would allow 64 MB."""

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Colour profiles: those of printers have up to 3 MB. A larger one is ignored: the picture is still there."""

MAX_EXIF_BYTES = 128 * 1024
"""JPEG's own limit is 64 KB a segment; a larger block is ignored."""

MAX_NATIVE_BYTES = 208 * 1024 * 1024
"""What an image's pixels, what its decoder keeps beside them, and the file may take together where all pixels are
looked at (stage regions): 256 MB with Python and Pillow, which have 40. Of a JPEG it is one byte a pixel, its luma."""

WORKING_SIDE_MIN = 768
"""The long side of the working copy is at least this (unless the image is smaller) and less than twice this.

Only reductions of the decoder and by whole numbers are used, which cost a tenth of resampling, so the size falls where
they let it. Less would save time, but codes need their two pixels for each module.
"""

MAX_MEMORY_BYTES = 500 * 1024 * 1024
"""Of a process that decodes an upload, with the upload and the libraries in it. 512 MB are promised, and the libraries
may touch some more of themselves. It is for files that hold something else than their header says."""

MAX_CPU_SECONDS = 45
"""Of the same process. The slowest file that the corpus has takes a few; the function has a minute."""
