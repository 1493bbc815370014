"""Makes files that are no honest workbooks out of one that is.

    python3 tests/it/hostile_workbooks.py BASE.xlsx FOLDER

BASE is a filled-in template. Into FOLDER go the files and `expected.json`: for each file the codes that an import of it
may end with; "DRAFT" stands for a file that is looked through to its end. Nothing but Python's own library is needed.
"""

import io
import json
import re
import struct
import sys
import zipfile
import zlib
from pathlib import Path

BASE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
SHEET, STRINGS, BOOK, RELS, TYPES = (
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "[Content_Types].xml",
)
MARK = "xl/worksheets/sheet2.xml"
MIB = 1024 * 1024

with zipfile.ZipFile(BASE) as base:
    PARTS = {name: base.read(name) for name in base.namelist()}
expected = {}


def write(name, content, *codes):
    expected[name] = list(codes)
    (FOLDER / name).write_bytes(content)


def archive(parts, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            made.writestr(name, content)
    return out.getvalue()


def changed(**more):
    """The base with other parts; `sheet=`, `strings=` and so on stand for the usual ones."""
    names = {"sheet": SHEET, "strings": STRINGS, "book": BOOK, "rels": RELS, "types": TYPES, "mark": MARK}
    parts = dict(PARTS)
    for key, content in more.items():
        name = names.get(key, key)
        if content is None:
            parts.pop(name)
        else:
            parts[name] = content if isinstance(content, bytes) else content.encode()
    return archive(parts)


def text(name):
    return PARTS[name].decode()


def rows(more, old=r"<row r=\"2\".*?</row>"):
    """The sheet with other rows below its head."""
    return re.sub(old, lambda _: more, text(SHEET), count=1, flags=re.S)


def inline(reference, said="x"):
    return f'<c r="{reference}" t="inlineStr"><is><t>{said}</t></is></c>'


def bomb(name, megabytes, unit=b" ", prefix=b"", suffix=b"", parts=PARTS):
    """The base with a part of which so many megabytes are one letter."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for other, content in parts.items():
            if other != name:
                made.writestr(other, content)
        with made.open(name, "w", force_zip64=True) as part:
            part.write(prefix)
            for _ in range(megabytes):
                part.write(unit * (MIB // len(unit)))
            part.write(suffix)
    return out.getvalue()


def patched(content, offset_of, at, value):
    """The archive with a number of each central record changed."""
    content = bytearray(content)
    start = content.find(b"PK\x01\x02")
    while start != -1:
        if offset_of in content[start : start + 46 + 200]:
            content[start + at : start + at + len(value)] = value
        start = content.find(b"PK\x01\x02", start + 4)
    return bytes(content)


# --- Other formats, told by their content
NOT = "FILE_NOT_WORKBOOK"
write("empty-archive.xlsx", b"PK\x05\x06" + bytes(18), NOT)
write("table.csv.xlsx", "접수일시,제목\n2026-01-01,가\n".encode(), NOT)
write("page.html.xlsx", b"<html><body><table><tr><td>1</td></tr></table></body></html>", NOT)
write("letter.pdf.xlsx", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF", NOT)
write("spreadsheet-2003.xml.xlsx", b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', NOT)
write("picture.png.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(64), NOT)
write("packed.gz.xlsx", b"\x1f\x8b\x08" + bytes(32), NOT)
write("data.json.xlsx", b'{"rows": []}', NOT)
write("zeros.xlsx", bytes(4096), NOT)
write("letter.docx.xlsx", archive({TYPES: b"<Types/>", "word/document.xml": b"<w/>"}), NOT)
write("plain.zip.xlsx", archive({"a.txt": b"a"}), NOT)
compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
write("excel-97.xls.xlsx", compound + bytes(4096), "FILE_OTHER_FORMAT")
write("password.xlsx", compound + bytes(1024) + "EncryptedPackage".encode("utf-16-le") + bytes(1024), "FILE_HAS_PASSWORD")
write("other.ods.xlsx", archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<c/>"}), "FILE_OTHER_FORMAT")
write("binary.xlsb.xlsx", archive({TYPES: b"<Types/>", "xl/workbook.bin": b"x"}), "FILE_OTHER_FORMAT")
macro = text(TYPES).replace("spreadsheetml.sheet.main+xml", "sheet.macroEnabled.main+xml")
write("macros.xlsm.xlsx", changed(types=macro.replace("application/vnd.openxmlformats-officedocument.sheet.", "application/vnd.ms-excel.sheet.")), "FILE_HAS_MACROS")
write("macros-hidden.xlsx", changed(**{"xl/vbaProject.bin": b"x"}), "FILE_HAS_MACROS")
write("links.xlsx", changed(**{"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}), "FILE_HAS_LINKS")

# --- Archives that lie
DAMAGED = "FILE_DAMAGED"
whole = archive(PARTS)
write("half.xlsx", whole[: len(whole) // 2], DAMAGED)
write("no-end.xlsx", whole[:-22], DAMAGED)
write("no-beginning.xlsx", whole[64:], NOT, DAMAGED)
write("two-archives.xlsx", whole + whole, "DRAFT", DAMAGED)
flipped = bytearray(whole)
flipped[whole.find(SHEET.encode()) + len(SHEET) + 200] ^= 0xFF
write("bit-flipped.xlsx", bytes(flipped), DAMAGED)
write("twice-a-name.xlsx", archive(list(PARTS.items()) + [(SHEET, b"<worksheet/>")]), DAMAGED)
write("twice-a-name-but-for-case.xlsx", archive(list(PARTS.items()) + [(SHEET.upper(), b"<worksheet/>")]), DAMAGED)
for name, path in [
    ("absolute-path.xlsx", "/etc/passwd"),
    ("upwards.xlsx", "xl/../../../etc/cron.d/x"),
    ("backslash.xlsx", "xl\\..\\x"),
    ("drive.xlsx", "C:x"),
]:
    write(name, archive(list(PARTS.items()) + [(path, b"x")]), DAMAGED)
nul = archive(list(PARTS.items()) + [("xl/nul_name.xml", b"x")]).replace(b"xl/nul_name.xml", b"xl/nul\0name.xml")
write("nul-in-a-name.xlsx", nul, DAMAGED)
sealed = bytearray(whole)
for signature, at in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
    start = sealed.find(signature)
    while start != -1:
        sealed[start + at] |= 1
        start = sealed.find(signature, start + 4)
write("parts-with-password.xlsx", bytes(sealed), "FILE_HAS_PASSWORD", DAMAGED)
write("five-thousand-parts.xlsx", archive(list(PARTS.items()) + [(f"xl/media/{n}.xml", b"x") for n in range(5000)]), "FILE_INFLATES")
write("says-it-is-smaller.xlsx", patched(whole, SHEET.encode(), 24, struct.pack("<I", 10)), DAMAGED, "FILE_INFLATES", "DRAFT")
write("says-it-is-larger.xlsx", patched(whole, SHEET.encode(), 24, struct.pack("<I", 0x7FFFFFFF)), DAMAGED, "FILE_INFLATES", "DRAFT")
write("parts-overlap.xlsx", patched(whole, SHEET.encode(), 42, struct.pack("<I", 0)), DAMAGED)
end = bytearray(whole)
end[-22 + 8 : -22 + 12] = struct.pack("<HH", 0xFFFF, 0xFFFF)
write("sixty-five-thousand-parts-it-says.xlsx", bytes(end), DAMAGED)
more = bytearray(whole)
more[-22 + 8 : -22 + 12] = struct.pack("<HH", len(PARTS) + 1, len(PARTS) + 1)
write("one-part-more-it-says.xlsx", bytes(more), DAMAGED)
write("packed-by-lzma.xlsx", archive(PARTS, zipfile.ZIP_LZMA), DAMAGED)
write("packed-by-bzip2.xlsx", archive(PARTS, zipfile.ZIP_BZIP2), DAMAGED)
write("not-packed.xlsx", archive(PARTS, zipfile.ZIP_STORED), "DRAFT")

# --- Bombs
INFLATES = "FILE_INFLATES"
head, tail = text(SHEET).split("<sheetData>", 1)
write("bomb-blank-sheet.xlsx", bomb(SHEET, 450, prefix=head.encode()), INFLATES)
write("bomb-one-string.xlsx", bomb(STRINGS, 512, b"A", prefix=b"<sst><si><t>", suffix=b"</t></si></sst>"), INFLATES)
write("bomb-pictures.xlsx", bomb("xl/media/image1.png", 70, b"\0"), INFLATES)
write("bomb-of-many.xlsx", archive(list(PARTS.items()) + [(f"xl/media/{n}.bin", bytes(MIB)) for n in range(420)]), INFLATES)
tiny = b"<si><t>a</t></si>"
write("bomb-tiny-strings.xlsx", bomb(STRINGS, 60, tiny * 61680 + b" " * 16, prefix=b"<sst>", suffix=b"</sst>"), "FILE_TOO_COMPLEX", "DRAFT", DAMAGED, "COLUMN_UNKNOWN", "TEMPLATE_UNKNOWN")
write("bomb-long-cell.xlsx", bomb(SHEET, 120, b"A", prefix=(head + '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>').encode(), suffix=b"</t></is></c></row></sheetData></worksheet>"), "FILE_TOO_COMPLEX", "COLUMN_UNKNOWN", INFLATES)
write("bomb-merged.xlsx", changed(sheet=text(SHEET).replace("</sheetData>", "</sheetData><mergeCells>" + "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(2, 20_002)) + "</mergeCells>")), "FILE_TOO_COMPLEX")

# --- XML that is not innocent
laughs = "<!DOCTYPE x [" + '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + "]>"
declared = re.compile(r"(<\?xml[^>]*\?>)")
write("laughs-in-the-sheet.xlsx", changed(sheet=declared.sub(r"\1" + laughs, rows(f'<row r="2">{inline("A2", "&a11;")}</row>'))), DAMAGED, "DRAFT")
outside = '<!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/passwd">]>'
write("outside-in-the-strings.xlsx", changed(strings=declared.sub(r"\1" + outside, text(STRINGS)).replace("<t>", "<t>&out;", 1)), DAMAGED, "COLUMN_UNKNOWN")
network = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
write("dtd-of-the-network.xlsx", changed(book=declared.sub(r"\1" + network, text(BOOK))), DAMAGED, "DRAFT")
write("deep.xlsx", changed(sheet=rows('<row r="2">' + "<a>" * 200_000 + "</a>" * 200_000 + "</row>")), DAMAGED, "ROWS_ABSENT", "FILE_TOO_COMPLEX")
flood = " ".join(f'a{n}="1"' for n in range(100_000))
write("attributes.xlsx", changed(sheet=rows(f'<row r="2"><c r="A2" {flood} t="inlineStr"><is><t>x</t></is></c></row>')), DAMAGED, "DRAFT")
spaces = " ".join(f'xmlns:n{n}="u{n}"' for n in range(100_000))
write("namespaces.xlsx", changed(sheet=text(SHEET).replace("<sheetData>", f"<sheetData {spaces}>")), DAMAGED, "DRAFT")
write("unclosed.xlsx", changed(sheet=text(SHEET).split("</sheetData>")[0]), DAMAGED)
write("wrong-nesting.xlsx", changed(sheet=text(SHEET).replace("</row></sheetData>", "</sheetData></row>")), DAMAGED, "DRAFT")
write("not-utf-8.xlsx", changed(strings=PARTS[STRINGS].replace(b"</t>", b"\xff\xfe</t>", 1)), DAMAGED, "COLUMN_UNKNOWN")
write("utf-16.xlsx", changed(sheet=text(SHEET).replace("UTF-8", "UTF-16").encode("utf-16")), DAMAGED, "DRAFT")
write("no-xml.xlsx", changed(sheet=b"\0\1\2\3"), DAMAGED)
write("empty-sheet-part.xlsx", changed(sheet=b""), DAMAGED)

# --- Cells where none can be
write("far-cell.xlsx", changed(sheet=rows(f'<row r="2">{inline("A2")}{inline("XFD2")}</row>')), "COLUMNS_TOO_MANY")
write("far-row.xlsx", changed(sheet=rows(f'<row r="1048576">{inline("A1048576")}</row>')), "DRAFT")
write("row-that-no-sheet-has.xlsx", changed(sheet=rows(f'<row r="1048577">{inline("A1048577")}</row>')), DAMAGED)
beyond = "".join(f'<row r="{n}">{inline(f"A{n}")}</row>' for n in (3_000_000_000, 3_000_000_001))
write("rows-beyond-every-number.xlsx", changed(sheet=rows(beyond)), DAMAGED)
write("row-nought.xlsx", changed(sheet=rows(f'<row r="0">{inline("A0")}</row>')), DAMAGED)
write("column-of-seven-letters.xlsx", changed(sheet=rows(f'<row r="2">{inline("AAAAAAA2")}</row>')), DAMAGED, "COLUMNS_TOO_MANY")
write("row-of-twenty-digits.xlsx", changed(sheet=rows(f'<row r="2">{inline("A99999999999999999999")}</row>')), DAMAGED)
write("empty-reference.xlsx", changed(sheet=rows(f'<row r="2">{inline("")}</row>')), DAMAGED)
dimension = re.compile(r'<dimension ref="[^"]*"/>')
write("dimension-reversed.xlsx", changed(sheet=dimension.sub('<dimension ref="C9:A1"/>', text(SHEET))), DAMAGED, "DRAFT")
write("dimension-huge.xlsx", changed(sheet=dimension.sub('<dimension ref="A1:XFD1048576"/>', text(SHEET))), "DRAFT")
write("dimension-nonsense.xlsx", changed(sheet=dimension.sub('<dimension ref="?:?"/>', text(SHEET))), DAMAGED)
write("string-that-is-not-there.xlsx", changed(sheet=rows('<row r="2"><c r="A2" t="s"><v>99999999</v></c></row>')), DAMAGED)
write("type-that-is-none.xlsx", changed(sheet=rows('<row r="2"><c r="A2" t="zz"><v>1</v></c></row>')), DAMAGED)
write("number-that-is-none.xlsx", changed(sheet=rows('<row r="2"><c r="A2" t="n"><v>1e999999x</v></c></row>')), DAMAGED)
write("numbers-of-every-kind.xlsx", changed(sheet=rows('<row r="2">' + "".join(f'<c r="{c}2"><v>{v}</v></c>' for c, v in zip("ABCDEFG", ["1e308", "-1e308", "NaN", "inf", "-0", "60", "1e-320"])) + "</row>")), "DRAFT", DAMAGED)
write("rows-backwards.xlsx", changed(sheet=rows(f'<row r="3">{inline("A3")}</row><row r="2">{inline("A2")}</row>')), DAMAGED)
write("a-cell-twice.xlsx", changed(sheet=rows(f'<row r="2">{inline("A2")}{inline("A2", "y")}</row>')), DAMAGED)
write("long-cell.xlsx", changed(sheet=rows(f'<row r="2">{inline("A2", "A" * 3_000_000)}</row>')), "DRAFT")
write("no-rows.xlsx", changed(sheet=rows("")), "ROWS_ABSENT")
write("nothing-at-all.xlsx", changed(sheet=re.sub(r"<sheetData>.*</sheetData>", "<sheetData></sheetData>", text(SHEET), flags=re.S)), "ROWS_ABSENT")
many = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(2, 100_003))
write("too-many-rows.xlsx", changed(sheet=rows(many)), "ROWS_TOO_MANY")
write("dde.xlsx", changed(sheet=rows("<row r=\"2\"><c r=\"A2\" t=\"str\"><f>cmd|'/c calc'!A0</f><v>x</v></c></row>")), "DRAFT")
shared = '<row r="2"><c r="A2"><f t="shared" ref="A2:A9999" si="0">A1&amp;REPT("x",9999)</f><v>1</v></c></row>' + "".join(f'<row r="{n}"><c r="A{n}"><f t="shared" si="0"/><v>1</v></c></row>' for n in range(3, 5_000))
write("shared-formulas.xlsx", changed(sheet=rows(shared)), "DRAFT")

# --- What a workbook says of itself
write("sheet-of-another-name.xlsx", changed(book=text(BOOK).replace('name="Tickets"', 'name="Other"')), "SHEET_NOT_FOUND")
write("no-mark.xlsx", changed(book=text(BOOK).replace('name="_orgdesk"', 'name="Other"')), "TEMPLATE_UNKNOWN")
write("mark-of-nothing.xlsx", changed(mark=re.sub(r"<sheetData>.*</sheetData>", "<sheetData/>", text(MARK), flags=re.S)), "TEMPLATE_UNKNOWN")
lines = "".join(f'<row r="{n}">{inline(f"A{n}", "column")}</row>' for n in range(1, 10_001))
write("mark-of-ten-thousand-lines.xlsx", changed(mark=re.sub(r"<sheetData>.*</sheetData>", f"<sheetData>{lines}</sheetData>", text(MARK), flags=re.S)), "TEMPLATE_UNKNOWN")
write("no-relations.xlsx", changed(rels=None), DAMAGED, "TEMPLATE_UNKNOWN", "SHEET_NOT_FOUND")
write("no-sheet-part.xlsx", changed(sheet=None), DAMAGED, "SHEET_NOT_FOUND")
write("sheet-is-the-workbook.xlsx", changed(rels=text(RELS).replace("worksheets/sheet1.xml", "workbook.xml")), DAMAGED)
write("sheet-is-its-own-relations.xlsx", changed(rels=text(RELS).replace("worksheets/sheet1.xml", "_rels/workbook.xml.rels")), DAMAGED)
write("sheet-is-elsewhere.xlsx", changed(rels=text(RELS).replace('Target="worksheets/sheet1.xml"', 'Target="http://127.0.0.1:9/x" TargetMode="External"')), DAMAGED, "SHEET_NOT_FOUND")
write("sheet-is-above.xlsx", changed(rels=text(RELS).replace("worksheets/sheet1.xml", "../../../../etc/passwd")), DAMAGED)
sheets = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId1"/>' for n in range(100, 30_100))
write("thirty-thousand-sheets.xlsx", changed(book=text(BOOK).replace("</sheets>", sheets + "</sheets>")), "DRAFT", DAMAGED)

(FOLDER / "expected.json").write_text(json.dumps(expected))
