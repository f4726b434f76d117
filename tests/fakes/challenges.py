"""The challenges and collections of the ISIC archive, made up."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.drawing import draw_image, write_hdf5, write_lines


def fake_isic2016(root: Path) -> Path:
    """Two training images, by word, and two test images, by number; no header."""
    stem = "ISBI2016_ISIC_Part3"
    for part, labels in (("Training", ("benign", "malignant")), ("Test", ("0.0", "1.0"))):
        names = [f"ISIC_00000{'12' if part == 'Test' else '34'}{k}" for k in range(2)]
        lines = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
        write_lines(root / f"{stem}_{part}_GroundTruth.csv", lines)
        for seed, name in enumerate(names):
            draw_image(root / f"{stem}_{part}_Data/{name}.jpg", seed=seed)
    return root


def fake_isic2018(root: Path) -> Path:
    """A training image of each class, and one test image; two of one lesion."""
    classes = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    names = [f"ISIC_002430{k}" for k in range(7)]
    rows = [
        ",".join([name, *("1.0" if j == k else "0.0" for j in range(7))])
        for k, name in enumerate(names)
    ]
    header = ",".join(["image", *classes])
    for part, lines in (("Training", rows), ("Test", ["ISIC_0034524,0,1,0,0,0,0,0"])):
        folder = root / f"ISIC2018_Task3_{part}_GroundTruth"
        write_lines(folder / f"ISIC2018_Task3_{part}_GroundTruth.csv", [header, *lines])
    write_lines(
        root / "ISIC2018_Task3_Training_LesionGroupings.csv",
        [
            "image,lesion_id,diagnosis_confirm_type",
            f"{names[0]},HAM_0000001,histopathology",
            f"{names[1]},HAM_0000001,serial imaging showing no change",
        ],
    )
    for seed, name in enumerate(names):
        draw_image(root / f"ISIC2018_Task3_Training_Input/{name}.jpg", seed=seed)
    draw_image(root / "ISIC2018_Task3_Test_Input/ISIC_0034524.jpg", seed=9)
    return root


def fake_isic2019(root: Path) -> Path:
    """Three training images (one scaled down) and three of the test, one of class UNK."""
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    write_lines(
        root / "ISIC_2019_Training_GroundTruth.csv",
        [
            header,
            "ISIC_0000000,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
            "ISIC_0000017_downsampled,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
            "ISIC_0024306,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0",
        ],
    )
    write_lines(
        root / "ISIC_2019_Training_Metadata.csv",
        [
            "image,age_approx,anatom_site_general,lesion_id,sex",
            "ISIC_0000000,55.0,anterior torso,,female",
            "ISIC_0000017_downsampled,,lateral torso,MSK4_0011169,male",
            "ISIC_0024306,85.0,head/neck,HAM_0000001,",
        ],
    )
    write_lines(
        root / "ISIC_2019_Test_GroundTruth.csv",
        [
            header,
            "ISIC_0034321,0,0,0,0,0,0,0,0,1",
            "ISIC_0034322,1,0,0,0,0,0,0,0,0",
            "ISIC_0034323,0,1,0,0,0,0,0,0,0",
        ],
    )
    write_lines(
        root / "ISIC_2019_Test_Metadata.csv",
        ["image,age_approx,anatom_site_general,sex", "ISIC_0034321,60,,female"],
    )
    draw_image(root / "ISIC_2019_Training_Input/ISIC_0000000.jpg", seed=1)
    draw_image(root / "ISIC_2019_Training_Input/ISIC_0000017_downsampled.jpg", seed=2)
    draw_image(root / "ISIC_2019_Test_Input/ISIC_0034322.jpg", seed=3)
    return root


_LEVELS = "diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_4,diagnosis_5"


def fake_isic_archive(root: Path, *, table: str = "metadata.csv") -> Path:
    """Six images of the archive as it is downloaded, their diagnoses in levels."""
    write_lines(
        root / table,
        [
            "isic_id,attribution,copyright_license,age_approx,anatom_site_general,"
            f"diagnosis_confirm_type,{_LEVELS},fitzpatrick_skin_type,image_type,lesion_id,"
            "patient_id,pixels_x,pixels_y,sex",
            'ISIC_0000001,MSK,CC-0,45,anterior torso,histopathology,Benign,"Benign '
            'melanocytic proliferations",Nevus,"Nevus, NOS, Compound",,II,dermoscopic,'
            "IL_0000001,IP_0000001,4288,2848,female",
            "ISIC_0000002,MSK,CC-BY,50,Head/Neck,histopathology,Malignant,Malignant "
            "melanocytic proliferations (Melanoma),Melanoma in situ,,,,clinical: overview,"
            "IL_0000002,IP_0000001,1024,768,female",
            "ISIC_0000003,MSK,CC-BY-NC,,,,Benign,,,,,,TBP tile: close-up,,IP_0000002,,,",
            "ISIC_0000004,MSK,CC-0,,,,Malignant,Malignant wonders,,,,,dermoscopic,,,,,male",
            "ISIC_0000005,MSK,CC-0,,,,Indeterminate,Indeterminate epidermal proliferations,"
            "Solar or actinic keratosis,,,,dermoscopic,,,,,male",
            "ISIC_0000006,MSK,CC-0,,,,,,,,,,RCM: tile,,,,,male",
        ],
    )
    for number in range(1, 7):
        draw_image(root / f"ISIC_000000{number}.JPG", seed=number)
    return root


def fake_bcn20000(root: Path) -> Path:
    """Three training images of two lesions, and a test image without diagnosis."""
    header = "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,"
    write_lines(
        root / "bcn_20k_train.csv",
        [
            header + "sex,split",
            "BCN_0000000001.jpg,55.0,anterior torso,MEL,BCN_0003884,2012-05-16,male,train",
            "BCN_0000000002.jpg,55.0,anterior torso,MEL,BCN_0003884,2012-05-16,male,train",
            "BCN_0000000003.jpg,,palms/soles,SCAR,BCN_0000021,2015-07-09,female,train",
        ],
    )
    write_lines(
        root / "bcn_20k_test.csv",
        [
            "bcn_filename,age_approx,anatom_site_general,sex,split",
            "BCN_0000000011.jpg,40.0,head/neck,female,test",
        ],
    )
    for number in (1, 2, 3):
        place = f"BCN_20k_train/bcn_20k_train/BCN_000000000{number}.jpg"
        draw_image(root / place, seed=number)
    draw_image(root / "BCN_20k_test/bcn_20k_test/BCN_0000000011.jpg", seed=4)
    return root


def fake_milk10k(root: Path) -> Path:
    """Two lesions in two images each, and a test lesion without a truth."""
    names = ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA",
             "VASC")  # fmt: skip
    rows = [
        ",".join([lesion, *("1.0" if name == label else "0.0" for name in names)])
        for lesion, label in (("IL_0000652", "MEL"), ("IL_0003176", "INF"))
    ]
    write_lines(
        root / "MILK10k_Training_GroundTruth.csv", [",".join(["lesion_id", *names]), *rows]
    )
    header = "lesion_id,image_type,isic_id,age_approx,sex,skin_tone_class,site"
    write_lines(
        root / "MILK10k_Training_Metadata.csv",
        [
            header,
            "IL_0000652,clinical: close-up,ISIC_4671410,60.0,male,3,head_neck_face",
            "IL_0000652,dermoscopic,ISIC_8149219,60.0,male,3,head_neck_face",
            "IL_0003176,clinical: close-up,ISIC_5797121,45.0,female,5,foot",
            "IL_0003176,dermoscopic,ISIC_6671212,45.0,female,5,foot",
        ],
    )
    finer = (
        "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma in situ:"
        "Melanoma in situ, Lentigo maligna type"
    )
    write_lines(
        root / "MILK10k_Training_Supplement.csv",
        [
            "isic_id,diagnosis_full,diagnosis_confirm_type",
            f'ISIC_4671410,"{finer}",histopathology',
            f'ISIC_8149219,"{finer}",histopathology',
        ],
    )
    write_lines(
        root / "MILK10k_Test_Metadata.csv",
        [header, "IL_0000001,dermoscopic,ISIC_0000777,50.0,male,2,trunk"],
    )
    for lesion, name in (("IL_0000652", "ISIC_4671410"), ("IL_0000652", "ISIC_8149219")):
        draw_image(root / f"MILK10k_Training_Input/{lesion}/{name}.jpg", seed=1)
    return root


def fake_isic2024(root: Path) -> Path:
    """Four tiles of three patients as on Kaggle, and a test tile.

    One of the four lies there as a file, one packed, one as both and one not at all.
    """
    header = "isic_id,target,patient_id,age_approx,sex,anatom_site_general,iddx_1,iddx_2,"
    melanoma = "Malignant melanocytic proliferations (Melanoma)"
    follicular = "Malignant adnexal epithelial proliferations - Follicular"
    write_lines(
        root / "train-metadata.csv",
        [
            header + "iddx_3,iddx_4,iddx_5,lesion_id",
            "ISIC_0015670,0,IP_1235828,60.0,male,lower extremity,Benign,,,,,",
            f"ISIC_0015845,1,IP_8170065,60.0,male,head/neck,Malignant,{melanoma},"
            "Melanoma Invasive,,,IL_6727506",
            f"ISIC_0015864,1,IP_6724798,60.0,male,posterior torso,Malignant,{follicular},"
            'Basal cell carcinoma,"Basal cell carcinoma, Nodular",,IL_1111111',
            "ISIC_0015902,0,IP_6724798,65.0,male,anterior torso,Indeterminate,"
            "Indeterminate melanocytic proliferations,Melanocytic wonder,,,",
        ],
    )
    write_lines(
        root / "test-metadata.csv",
        ["isic_id,patient_id,age_approx,sex,anatom_site_general",
         "ISIC_0015657,IP_6074337,45.0,male,posterior torso"],
    )  # fmt: skip
    for name in ("ISIC_0015670", "ISIC_0015845"):
        draw_image(root / f"train-image/image/{name}.jpg", seed=1)
    write_hdf5(root / "train-image.hdf5", ["ISIC_0015670", "ISIC_0015864"])
    write_hdf5(root / "test-image.hdf5", ["ISIC_0015657"])
    return root
