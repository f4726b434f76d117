"""What becomes of small awkward tables is what somebody read and recorded.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.columns import read_truth
from lentigo.errors import LentigoError
from tests.record import check_recorded

HEAD = "image_id,patient_id,sex,age,site,diagnosis,melanoma\n"
TABLES: dict[str, bytes | str] = {
    "plain.csv": HEAD + "a,p,male,50,torso,melanoma,1\nb,p,female,,back,nevus,0\n",
    "german.csv": "sep=;\nBild;Patient;Geschlecht;Alter;Lokalisation;Diagnose\n"
    "1.jpg;1,0;m;50,5;Rücken;Malignes Melanom\n2.jpg;2,0;w;60,5;Gesicht;Nävus\n",
    "windows.csv": "Bild;Geschlecht;Lokalisation;Diagnose\n1;männlich;Rücken;Nävus\n"
    "2;weiblich;Fuß;Melanom\n".encode("cp1252"),
    "utf16.csv": "image\tdx\na\tmel\nb\tnv\n".encode("utf-16"),
    "bom.csv": b"\xef\xbb\xbfimage,dx\na,mel\nb,nv\n",
    "tabs.tsv": "image\tdx\tage\na\tmel\t50\nb\tbkl\t60\n",
    "packed.csv.gz": gzip.compress(b"image,dx\na,mel\nb,nv\n"),
    "onehot.csv": "image,MEL,NV,BCC\na,1,0,0\nb,0,1,0\nc,0,0,1\nd,0,0,0\ne,1,1,0\n",
    "onehot_words.csv": "image,MEL,NV,BCC\na,1,0,0\nb,0,maybe,0\n",
    "quoted.csv": 'image,dx,remark\na,mel,"one, two"\nb,nv,"a ""word"""\n',
    "lines.csv": 'image,dx,remark\na,mel,"two\nlines"\nb,nv,one\n',
    "short.csv": "image,dx,age\na,mel\nb,nv,50\n",
    "long.csv": "image,dx\na,mel,50\nb,nv,60\n",
    "empty.csv": "",
    "header.csv": "image,dx\n",
    "twice.csv": "image,dx\na,mel\na,nv\n",
    "unnamed.csv": "image,dx\na,mel\n,nv\n",
    "two_ids.csv": "image,image,dx\na,b,mel\nc,d,nv\n",
    "no_image.csv": "age,dx\n50,mel\n60,nv\n",
    "no_label.csv": "image,age\na,50\nb,60\n",
    "yes_no.csv": "image,melanoma\na,yes\nb,no\nc,unknown\nd,\n",
    "signs.csv": "image,melanoma\na,+\nb,-\nc,+\n",
    "benign.csv": "image,benign_malignant\na,malignant\nb,benign\n",
    "beside.csv": "image,benign_malignant\na,malignant\nb,melanoma\nc,benign\n",
    "words.csv": "image,diagnosis\na,melanoma in situ\nb,MM\nc,lentigo maligna\nd,naevus\n"
    "e,basal cell carcinoma\nf,no melanoma\ng,suspected melanoma\nh,zap\n",
    "codes.csv": "image,dx\na,mel\nb,akiec\nc,df\nd,vasc\ne,bcc\nf,nv\ng,bkl\n",
    "numbers.csv": "image,melanoma\na,1\nb,0\nc,2\n",
    "conflict.csv": "image,melanoma,diagnosis\na,1,nevus\nb,0,nevus\nc,1,melanoma\n",
    "malignant.csv": "image,malignant,diagnosis\na,1,bcc\nb,0,nevus\nc,1,melanoma\n",
    "ages.csv": "image,dx,age\na,mel,50 years\nb,nv,45-50\nc,nv,180\nd,nv,-1\n"
    "e,nv,6 months\nf,nv,>85\ng,nv,1_0\n",
    "sites.csv": "image,dx,site\na,mel,anterior torso\nb,nv,palms/soles\nc,nv,left arm\n"
    "d,nv,scalp\ne,nv,somewhere\nf,nv,oral/genital\n",
    "sexes.csv": "image,dx,sex\na,mel,F\nb,nv,homme\nc,nv,2\nd,nv,diverse\ne,nv,n/a\n",
    "skin.csv": "image,dx,fitzpatrick\na,mel,I\nb,nv,type 2\nc,nv,6\nd,nv,7\n",
    "floats.csv": "image,patient_id,dx\n1.0,7.0,mel\n2.0,8.0,nv\n3.0,,nv\n",
    "folders.csv": "image,dx\nx/a.JPG,mel\ny/a.JPG,nv\nx/b.png,nv\n",
    "known.csv": "image,patient,lesion,dx\na,unknown,1,mel\nb,n/a,-,nv\nc,0,?,nv\n"
    "d,P1,,nv\n",
    "case.csv": "IMAGE_NAME,Target,Anatom_Site_General_Challenge,Age_Approx\na,1,torso,45\n"
    "b,0,head/neck,50\n",
    "remark.csv": "Bild (Datei),Alter (Jahre),Diagnose (Histologie)\na,50,Melanom\n"
    "b,60,Nävus\n",
    "sizes.csv": "image,dx,width,height,sha256\na,mel,600,450,x\nb,nv,0,-1,y\n",
    "spaces.csv": " image , dx \n a , mel \n b , nv \n",
    "nul.csv": b"image,dx\na,mel\nb\0,nv\n",
    "text.csv": "this is no table\n",
    "group.csv": "image,group_id,fold,dx\na,g1,0,mel\nb,g1,0,nv\nc,g2,1,nv\n",
    "formula.csv": "image,dx\n=1+1,mel\nb,nv\n",
    "types.csv": "image,dx,modality\na,mel,dermoscopic\nb,nv,clinical\nc,nv,macro\n",
}  # fmt: skip


def of_table(table: pd.DataFrame) -> Iterator[str]:
    """Yield the columns that say something, and what type each has."""
    told = table.dropna(axis=1, how="all")
    for name in told:
        values = ["" if pd.isna(each) else str(each) for each in told[name]]
        yield f"  {name} ({told[name].dtype}): {values}"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_becomes_a_lesion_table_and_a_truth(name: str, tmp_path: Path) -> None:
    content = TABLES[name]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    lines = []
    try:
        read = read_any(file)
        lines += ["lesion table", *of_table(read.table), *map(str, read.notes)]
    except LentigoError as error:
        lines.append(f"{type(error).__name__}: {error}")
    try:
        truth, sentence = read_truth(file)
        lines += ["truth", *of_table(truth[["image_id", "melanoma"]]), sentence]
    except LentigoError as error:
        lines.append(f"{type(error).__name__}: {error}")
    text = "\n".join(lines) + "\n"
    check_recorded(f"tables/{name}", text.replace(str(tmp_path), "PLACE"))


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("two_ids.csv", {"image_id": "image.1"}),
        ("conflict.csv", {"melanoma": "melanoma"}),
        ("conflict.csv", {"melanoma": "diagnosis"}),
        ("no_image.csv", {"image_id": "age"}),
        ("plain.csv", {"melanoma": "melanom"}),
        ("plain.csv", {"melanom": "melanoma"}),
    ],
)
def test_a_column_that_is_named_is_taken(
    name: str, columns: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(str(TABLES[name]), "utf-8")
    try:
        read = read_any(tmp_path / name, columns=columns)
        lines = [*of_table(read.table), *map(str, read.notes)]
    except LentigoError as error:
        lines = [f"{type(error).__name__}: {error}"]
    asked = "-".join(f"{ours}={theirs}" for ours, theirs in columns.items())
    text = "\n".join(lines) + "\n"
    check_recorded(f"tables/{name}-{asked}", text.replace(str(tmp_path), "PLACE"))
