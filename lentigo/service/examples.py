"""Examples of requests in the OpenAPI document; a test sends each of them."""

from __future__ import annotations

from typing import Any

DRAWN_LESION = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm"
    "KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7"
    "Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAAwADADASIAAhEBAxEB/8QA"
    "HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIh"
    "MUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG"
    "x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQF"
    "BgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAV"
    "YnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOE"
    "hYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
    "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDsehz69vSmTzw20LTTypDGvV3YKB26/jSvIkUZkkdY0RSWZyAA"
    "B3NeSeItck1zVGuCHECnbDESPkXueO5Iz+mTgVyRjzM75Ssdxc+P9DgkCR/aLgY5eKPA+nzEGtHS/Eel"
    "asVS2uh520EwyfK+cE4564wc4zXkGcn8cD0penTjjr1zWjpozU2e5nPQYIHSjdnr6dRXNeCtck1fTHgu"
    "C73NnhWlY53g52/iMEHPoDnk10hBJGSOlYtW0Nr3VyhrgH/CPaj3/wBEl5z/ALBrxscZ4PNe3zwxz28l"
    "tON8cqlXXpkEYI4+teOatpk+kalLZzK25Sdrkbd654Yex/Tp2rWm+hlNdin2wDnsKT6Ggjpxnp35NOPI"
    "961M9jqvh4P+Kgm54+ytjj/aSvRz1IA/I1yPgPQWtLRtVnGJLpNsakEFUz/XAP0AOea64cg9/cVzzaub"
    "wVkObIbI4xVPUdLsdViEV7apOFHyk8MvTOCOR0HSreTxn/GhQRnj8emKlFHF3Pw3t2l/0XU5IUxgrJGJ"
    "Dn8COMVo6X4G0jT2WSVDez4GTNgoDjBIUDoc984xXRjhSOT7UEcH+VU5y2uJQVwBAxx+f0ozkE+nUUh+"
    "70x+FLyOuecVJR//2Q=="
)
"""A drawn disc of 48 × 48 pixels: JPEG in base64."""

PREDICTIONS_REQUEST: dict[str, Any] = {
    "one image": {
        "summary": "One image of which nothing is known",
        "value": {"images": [DRAWN_LESION]},
    },
    "one lesion": {
        "summary": "Two images of one lesion, in a clinic with 2 % melanomas",
        "value": {
            "images": [DRAWN_LESION, DRAWN_LESION],
            "lesion": ["17"],
            "age": 62,
            "sex": "female",
            "site": "lower extremity",
            "prevalence": 0.02,
            "operating_point": "none",
        },
    },
}

EXPLANATIONS_REQUEST: dict[str, Any] = {
    "what the model used": {
        "summary": "One image, explained by a method that every model allows",
        "value": {"images": [DRAWN_LESION], "methods": ["occlusion"]},
    },
}
DUCKLINGS_REQUEST: dict[str, Any] = {
    "four lesions": {
        "summary": "Four lesions of a patient, of which the last one is the odd one",
        "value": {
            "patient": ["7", "7", "7", "7"],
            "lesion": ["a", "b", "c", "d"],
            "features": ["ADwAAAAA", "9zs3LwAA", "+Ds0LQAA", "AAAAAAA8"],
        },
    },
}
