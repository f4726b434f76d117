"""Each archive as a handful of small images, under its real file names and layout."""

from tests.fakes.archives import (
    fake_csv,
    fake_folder,
    fake_ham10000,
    fake_isic2017,
    fake_siim2020,
)
from tests.fakes.challenges import (
    fake_bcn20000,
    fake_isic2016,
    fake_isic2018,
    fake_isic2019,
    fake_isic2024,
    fake_isic_archive,
    fake_milk10k,
)
from tests.fakes.clinics import (
    fake_ddi,
    fake_derm7pt,
    fake_dicom,
    fake_fitzpatrick17k,
    fake_pad_ufes20,
    fake_ph2,
    fake_synthetic,
)
from tests.fakes.drawing import (
    draw_image,
    image_bytes,
    write_hdf5,
    write_lines,
    write_zip,
)

__all__ = [
    "draw_image",
    "fake_bcn20000",
    "fake_csv",
    "fake_ddi",
    "fake_derm7pt",
    "fake_dicom",
    "fake_fitzpatrick17k",
    "fake_folder",
    "fake_ham10000",
    "fake_isic2016",
    "fake_isic2017",
    "fake_isic2018",
    "fake_isic2019",
    "fake_isic2024",
    "fake_isic_archive",
    "fake_milk10k",
    "fake_pad_ufes20",
    "fake_ph2",
    "fake_siim2020",
    "fake_synthetic",
    "image_bytes",
    "write_hdf5",
    "write_lines",
    "write_zip",
]
