"""Draws the glyph atlas of src/plot/image/text.rs: printable ASCII and Latin-1 of DejaVu Sans, 8-bit coverage.

Run with Pillow 12: python make_atlas.py /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
Writes sans15.png: one row of cells, and sans15.txt: the advance of every glyph in pixels.
"""
import sys
from PIL import Image, ImageDraw, ImageFont

SIZE, CELL_W, CELL_H, PAD = 15, 18, 20, 2
font = ImageFont.truetype(sys.argv[1], SIZE)
codes = list(range(0x20, 0x7F)) + list(range(0xA0, 0x100))
columns = 16
rows = -(-len(codes) // columns)
atlas = Image.new("L", (columns * CELL_W, rows * CELL_H), 0)
draw = ImageDraw.Draw(atlas)
advances = []
for index, code in enumerate(codes):
    x, y = index % columns * CELL_W, index // columns * CELL_H
    draw.text((x + PAD, y), chr(code), fill=255, font=font)
    advances.append(round(font.getlength(chr(code))))
atlas.save("sans15.png", optimize=True)
open("sans15.txt", "w").write(" ".join(map(str, advances)) + "\n")
