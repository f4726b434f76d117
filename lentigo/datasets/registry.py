"""Table of the archive formats that can be read, with their citations and licences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of archive that can be read."""

    name: str
    module: str
    """Name of the module whose function `read` reads the format."""
    summary: str
    """The name of the archive, and the files that its folder holds."""
    citation: str
    """The publication to cite."""
    licence: str
    """Licence of the archive, in words."""
    signs: tuple[str, ...] = ()
    """Patterns of file names by which a folder is recognised as this format."""


FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        Format(
            name="siim2020",
            module="lentigo.datasets.archives.siim2020",
            summary="SIIM-ISIC 2020: train.csv, test.csv and jpeg/train (or tables alone)",
            citation="Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z",
            licence="CC BY-NC 4.0",
            signs=("ISIC_2020_*.csv",),
        ),
        Format(
            name="ham10000",
            module="lentigo.datasets.archives.ham10000",
            summary="HAM10000: HAM10000_metadata.csv and HAM10000_images_part_1, _part_2",
            citation="Tschandl et al. 2018, doi:10.1038/sdata.2018.161",
            licence="CC BY-NC 4.0",
            signs=("HAM10000_metadata*",),
        ),
        Format(
            name="isic2017",
            module="lentigo.datasets.archives.isic2017",
            summary="ISIC 2017 part 3: ISIC-2017_*_Part3_GroundTruth.csv, ISIC-2017_*_Data",
            citation="Codella et al. 2018, doi:10.1109/ISBI.2018.8363547",
            licence="CC-0",
            signs=("ISIC-2017_*_Part3_GroundTruth.csv",),
        ),
        Format(
            name="isic2016",
            module="lentigo.datasets.archives.isic2016",
            summary="ISIC 2016 part 3: ISBI2016_ISIC_Part3_*_GroundTruth.csv and _Data",
            citation="Gutman et al. 2016, arXiv:1605.01397",
            licence="CC-0",
            signs=("ISBI2016_ISIC_Part3_*",),
        ),
        Format(
            name="isic2018",
            module="lentigo.datasets.archives.isic2018",
            summary="ISIC 2018 task 3: ISIC2018_Task3_*_GroundTruth and _Input",
            citation="Codella et al. 2019, arXiv:1902.03368",
            licence="CC BY-NC 4.0",
            signs=("ISIC2018_Task3_*",),
        ),
        Format(
            name="isic2019",
            module="lentigo.datasets.archives.isic2019",
            summary="ISIC 2019: ISIC_2019_*_GroundTruth.csv, _Metadata.csv and _Input",
            citation="Hernández-Pérez et al. 2024, doi:10.1038/s41597-024-03387-w; "
            "Tschandl et al. 2018, doi:10.1038/sdata.2018.161; "
            "Codella et al. 2018, doi:10.1109/ISBI.2018.8363547",
            licence="CC BY-NC 4.0",
            signs=("ISIC_2019_*",),
        ),
        Format(
            name="isic2024",
            module="lentigo.datasets.archives.isic2024",
            summary="ISIC 2024 (SLICE-3D): train-metadata.csv and train-image/image",
            citation="Kurtansky et al. 2024, doi:10.1038/s41597-024-03743-w",
            licence="CC BY-NC 4.0",
            signs=("train-metadata.csv", "ISIC_2024_*"),
        ),
        Format(
            name="isic_archive",
            module="lentigo.datasets.archives.isic_archive",
            summary="a download from the ISIC Archive: metadata.csv and its images",
            citation="The ISIC Archive, isic-archive.com, and whom `attribution` names",
            licence="of each image: column copyright_license",
        ),
        Format(
            name="bcn20000",
            module="lentigo.datasets.archives.bcn20000",
            summary="BCN20000: bcn_20k_train.csv and bcn_20k_test.csv, or metadata.csv",
            citation="Hernández-Pérez et al. 2024, doi:10.1038/s41597-024-03387-w",
            licence="CC BY-NC 4.0",
            signs=("bcn_20k_*.csv", "BCN_20k_*.csv", "bcn20000_metadata*.csv"),
        ),
        Format(
            name="milk10k",
            module="lentigo.datasets.archives.milk10k",
            summary="MILK10k: MILK10k_*_Metadata.csv, _GroundTruth.csv and _Input",
            citation="Tschandl et al. 2025, doi:10.34970/648456",
            licence="CC BY-NC 4.0",
            signs=("MILK10k_*",),
        ),
        Format(
            name="pad_ufes20",
            module="lentigo.datasets.archives.pad_ufes20",
            summary="PAD-UFES-20: metadata.csv and imgs_part_1, _2, _3 (smartphone)",
            citation="Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221",
            licence="CC BY 4.0",
        ),
        Format(
            name="ph2",
            module="lentigo.datasets.archives.ph2",
            summary="PH2: PH2_dataset.txt and PH2 Dataset images",
            citation="Mendonça et al. 2013, doi:10.1109/EMBC.2013.6610779",
            licence="for research and education",
            signs=("PH2_dataset.*",),
        ),
        Format(
            name="derm7pt",
            module="lentigo.datasets.archives.derm7pt",
            summary="derm7pt: meta/meta.csv, meta/*_indexes.csv and images",
            citation="Kawahara et al. 2019, doi:10.1109/JBHI.2018.2824327",
            licence="for research, on the terms of its authors",
            signs=("meta/meta.csv",),
        ),
        Format(
            name="fitzpatrick17k",
            module="lentigo.datasets.archives.fitzpatrick17k",
            summary="Fitzpatrick17k: fitzpatrick17k.csv and images by their md5hash",
            citation="Groh et al. 2021, doi:10.1109/CVPRW53098.2021.00201",
            licence="labels CC BY-NC-SA 3.0; images on the terms of their atlases",
            signs=("fitzpatrick17k.csv",),
        ),
        Format(
            name="ddi",
            module="lentigo.datasets.archives.ddi",
            summary="Diverse Dermatology Images: ddi_metadata.csv and its images",
            citation="Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147",
            licence="for research, on the terms of Stanford University",
            signs=("ddi_metadata.csv",),
        ),
        Format(
            name="dicom",
            module="lentigo.datasets.archives.dicom",
            summary="DICOM files of a clinic, without the identity of anybody",
            citation="",
            licence="yours",
        ),
        Format(
            name="folder",
            module="lentigo.datasets.archives.folder",
            summary="any images, in one subfolder a class (melanoma, nevus …)",
            citation="",
            licence="yours",
        ),
        Format(
            name="csv",
            module="lentigo.datasets.archives.csv_folder",
            summary="any CSV with a row an image, and a folder of images",
            citation="",
            licence="yours",
        ),
        Format(
            name="synthetic",
            module="lentigo.datasets.synthetic",
            summary="the embedded data set: lesions drawn by our own code",
            citation="",
            licence="Apache-2.0",
            signs=("synthetic.json",),
        ),
    )
}
