"""The archives that were read first, under their real file names and layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakes.drawing import draw_image, write_lines


def fake_siim2020(root: Path, *, images: str | None = "jpeg/train") -> Path:
    """Six training and two test images; ISIC_0000006 repeats ISIC_0000005."""
    write_lines(
        root / "train.csv",
        [
            "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,"
            "diagnosis,benign_malignant,target",
            "ISIC_0000001,IP_1,male,45.0,head/neck,unknown,benign,0",
            "ISIC_0000002,IP_1,male,45.0,torso,nevus,benign,0",
            "ISIC_0000003,IP_2,female,,oral/genital,melanoma,malignant,1",
            "ISIC_0000004,IP_3,,70.0,,unknown,benign,0",
            "ISIC_0000005,IP_4,female,0.0,palms/soles,lentigo NOS,benign,0",
            "ISIC_0000006,IP_4,female,0.0,palms/soles,unknown,benign,0",
        ],
    )
    write_lines(
        root / "test.csv",
        [
            "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,width,height",
            "ISIC_0000011,IP_9,male,70.0,,6000,4000",
            "ISIC_0000012,IP_9,male,70.0,lower extremity,1920,1080",
        ],
    )
    write_lines(
        root / "ISIC_2020_Training_Duplicates.csv",
        ["image_name_1,image_name_2", "ISIC_0000005,ISIC_0000006"],
    )
    write_lines(
        root / "ISIC_2020_Training_GroundTruth_v2.csv",
        ["image_name,lesion_id", "ISIC_0000001,IL_1", "ISIC_0000005,IL_5"],
    )
    if images is not None:
        for number in range(1, 7):
            draw_image(root / images / f"ISIC_000000{number}.jpg", seed=number)
    return root


def fake_ham10000(root: Path) -> Path:
    """Five images of four lesions in two parts, and a mask that is no image of a lesion."""
    write_lines(
        root / "HAM10000_metadata.csv",
        [
            "lesion_id,image_id,dx,dx_type,age,sex,localization",
            "HAM_0000001,ISIC_0024306,nv,follow_up,45.0,male,back",
            "HAM_0000001,ISIC_0024307,nv,follow_up,45.0,male,back",
            "HAM_0000002,ISIC_0024308,mel,histo,0.0,unknown,acral",
            "HAM_0000003,ISIC_0024309,akiec,histo,,female,foot",
            "HAM_0000004,ISIC_0024310,bcc,confocal,80.0,female,unknown",
        ],
    )
    for number in (6, 7, 8):
        draw_image(root / f"HAM10000_images_part_1/ISIC_002430{number}.jpg", seed=number)
    draw_image(root / "HAM10000_images_part_2/ISIC_0024309.jpg", seed=9)
    masks = root / "HAM10000_segmentations_lesion_tschandl"
    draw_image(masks / "ISIC_0024310_segmentation.png", seed=1)
    return root


def fake_isic2017(root: Path, *, parts: Sequence[str] = ("Training", "Validation")) -> Path:
    """Three images a part (one a melanoma, one a keratosis), with superpixels beside."""
    for number, part in enumerate(parts, start=1):
        names = [f"ISIC_000{number}00{k}" for k in range(3)]
        write_lines(
            root / f"ISIC-2017_{part}_Part3_GroundTruth.csv",
            [
                "image_id,melanoma,seborrheic_keratosis",
                f"{names[0]},1.0,0.0",
                f"{names[1]},0.0,1.0",
                f"{names[2]},0.0,0.0",
            ],
        )
        write_lines(
            root / f"ISIC-2017_{part}_Data_metadata.csv",
            [
                "image_id,age_approximate,sex",
                f"{names[0]},55,female",
                f"{names[1]},unknown,unknown",
                f"{names[2]},30,male",
            ],
        )
        for name in names:
            draw_image(root / f"ISIC-2017_{part}_Data/{name}.jpg", seed=number)
            draw_image(root / f"ISIC-2017_{part}_Data/{name}_superpixels.png", seed=number)
    return root


def fake_folder(root: Path, counts: Mapping[str, int]) -> Path:
    """`counts[name]` images in each subfolder `name`, all called 0.png, 1.png …"""
    for place, (name, count) in enumerate(counts.items()):
        for number in range(count):
            draw_image(root / name / f"{number}.png", seed=100 * place + number)
    return root


def fake_csv(root: Path, lines: Sequence[str], images: Sequence[str] = ()) -> Path:
    """`metadata.csv` of `lines`, and `images` by path beside it."""
    for seed, name in enumerate(images):
        draw_image(root / name, seed=seed)
    return write_lines(root / "metadata.csv", lines)
