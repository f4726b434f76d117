"""Archives from outside the ISIC archive, made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.dicoms import dicom
from tests.fakes.drawing import draw_image, write_lines


def fake_pad_ufes20(root: Path) -> Path:
    """Three photographs of two patients; one lesion was never biopsied."""
    write_lines(
        root / "metadata.csv",
        [
            "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diameter_1,diameter_2,"
            "diagnostic,img_id,biopsed",
            "PAT_8,15,False,55.0,FEMALE,3.0,NECK,6.0,5.0,BCC,PAT_8_15_820.png,True",
            "PAT_8,16,False,55.0,FEMALE,3.0,HAND,5.0,5.0,MEL,PAT_8_16_821.png,True",
            "PAT_46,881,,,,,FOREARM,,,SEK,PAT_46_881_939.png,False",
        ],
    )
    draw_image(root / "imgs_part_1/PAT_8_15_820.png", seed=1)
    draw_image(root / "imgs_part_3/PAT_46_881_939.png", seed=2)
    return root


def fake_ph2(root: Path) -> Path:
    """Three images with outlines, in the text file with its bars and its legend."""
    write_lines(
        root / "PH2_dataset.txt",
        [
            "||   Name || Histological Diagnosis || Clinical Diagnosis || Asymmetry | "
            "Pigment Network | Dots/Globules | Streaks | Regression Areas | "
            "Blue-Whitish Veil ||           Colors ||",
            "|| IMD003 ||                        ||                  0 ||         0 | "
            "              T |             A |       A |                A | "
            "                A ||                 4 ||",
            "|| IMD009 ||                        ||                  1 ||         0 | "
            "              T |             A |       A |                A | "
            "                A ||              3  4 ||",
            "|| IMD058 ||       Melanoma in situ ||                  2 ||         2 | "
            "             AT |            AT |       P |                P | "
            "                P ||        3  4  5  6 ||",
            "",
            "Clinical Diagnosis: 0 - Common Nevus; 1 - Atypical Nevus; 2 - Melanoma.",
        ],
    )
    for seed, name in enumerate(("IMD003", "IMD009", "IMD058")):
        place = root / "PH2 Dataset images" / name
        draw_image(place / f"{name}_Dermoscopic_Image/{name}.bmp", seed=seed)
        draw_image(place / f"{name}_lesion/{name}_lesion.bmp", seed=seed)
    return root


def fake_derm7pt(root: Path) -> Path:
    """Three lesions in two images each; two lesions lie on one clinical image."""
    write_lines(
        root / "meta/meta.csv",
        [
            "case_num,diagnosis,seven_point_score,pigment_network,streaks,location,sex,"
            "management,clinic,derm,case_id,notes",
            "1,basal cell carcinoma,0,absent,absent,abdomen,female,excision,"
            "NEL/NEL025.JPG,NEL/Nel026.jpg,,",
            "2,melanoma (less than 0.76 mm),4,atypical,irregular,lower limbs,male,excision,"
            "NEL/NEL027.JPG,NEL/Nel028.jpg,,",
            "3,clark nevus,1,typical,absent,head neck,male,clinical follow up,"
            "NEL/NEL027.JPG,NEL/Nel029.jpg,,",
        ],
    )
    for part, row in (("train", 0), ("valid", 1), ("test", 2)):
        write_lines(root / f"meta/{part}_indexes.csv", ["indexes", str(row)])
    for name in ("NEL025.JPG", "Nel026.jpg", "NEL027.JPG", "Nel028.jpg"):
        draw_image(root / f"images/NEL/{name.lower()}", seed=1)
    return root


def fake_fitzpatrick17k(root: Path) -> Path:
    """Four images: a melanoma, a nevus, psoriasis, and a precursor called malignant."""
    write_lines(
        root / "fitzpatrick17k.csv",
        [
            "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,"
            "three_partition_label,qc,url,url_alphanum",
            "aa01,3,3,melanoma,malignant melanoma,malignant,,https://x/1.jpg,httpx1jpg.jpg",
            "aa02,-1,-1,halo nevus,benign melanocyte,benign,,https://x/2.jpg,httpx2jpg.jpg",
            "aa03,6,5,psoriasis,inflammatory,non-neoplastic,,https://x/3.jpg,httpx3jpg.jpg",
            "aa04,1,1,actinic keratosis,malignant epidermal,malignant,,https://x/4.jpg,"
            "httpx4jpg.jpg",
        ],
    )
    draw_image(root / "data/finalfitz17k/aa01.jpg", seed=1)
    draw_image(root / "data/finalfitz17k/httpx2jpg.jpg", seed=2)
    return root


def fake_ddi(root: Path) -> Path:
    """Four images, with words in hyphens."""
    write_lines(
        root / "ddi_metadata.csv",
        [
            ",DDI_ID,DDI_file,skin_tone,malignant,disease",
            "0,1,000001.png,56,True,melanoma-in-situ",
            "1,2,000002.png,34,False,melanocytic-nevi",
            "2,3,000003.png,12,True,atypical-spindle-cell-nevus-of-reed",
            "3,4,000004.png,12,False,seborrheic-keratosis-irritated",
        ],
    )
    for number in (1, 2, 3):
        draw_image(root / f"00000{number}.png", seed=number)
    return root


def fake_dicom(root: Path) -> Path:
    """Three files of two people, and one that is no DICOM at all."""
    root.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((16, 24, 3), dtype=np.uint8)
    for name, tags in (
        ("a", {"PatientID": "007", "PatientAge": "045Y", "BodyPartExamined": "BACK"}),
        ("b", {"PatientID": "007", "PatientAge": "999Y", "BodyPartExamined": "SKIN"}),
        ("c", {"PatientID": "008", "PatientAge": "006M", "PatientSex": "F"}),
    ):
        (root / f"{name}.dcm").write_bytes(dicom(pixels, "RGB", **tags))
    (root / "d.dcm").write_bytes(b"no such thing")
    return root


def fake_synthetic(root: Path) -> Path:
    """Three drawn images in the layout of `draw_dataset`, drawn by nothing but noise."""
    write_lines(
        root / "metadata.csv",
        [
            "image_id,path,dataset,patient_id,sex,age,site,melanoma,malignant,"
            "true_probability",
            "S_1,images/S_1.jpg,synthetic,P_1,female,40,torso,False,False,0.1",
            "S_2,images/S_2.jpg,synthetic,P_1,female,40,head/neck,True,True,0.8",
            "S_3,images/S_3.jpg,synthetic,P_2,male,70,torso,False,False,0.2",
        ],
    )
    write_lines(root / "synthetic.json", ["{}"])
    for number in (1, 2):
        draw_image(root / f"images/S_{number}.jpg", seed=number)
    return root
