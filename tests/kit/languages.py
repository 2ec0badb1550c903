"""The four, and three who speak Tamil, Marathi and Urdu: the local engine has one of these languages by half."""

import json
from typing import Any

from personas import SHIPPED, Catalogue
from tests.kit.four import IDS, TINA

TAMIL, MARATHI, URDU = "kavya_tamil", "asha_marathi", "sana_urdu"
_GREETINGS = {
    TAMIL: ("Kavya", "Tamil", "வணக்கம், நான் காவ்யா."),
    MARATHI: ("Asha", "Marathi", "नमस्कार, मी आशा."),
    URDU: ("Sana", "Urdu", "السلام علیکم، میں ثنا ہوں۔"),
}


def data() -> dict[str, Any]:
    """The content of a file of them all."""
    shipped = json.loads(SHIPPED.read_bytes())
    rows = {row["astrologer_id"]: row for row in shipped["astrologers"]}
    added = [
        {**rows[TINA], "astrologer_id": id_, "name": name, "language": language, "greeting": greeting}
        for id_, (name, language, greeting) in _GREETINGS.items()
    ]
    return {**shipped, "astrologers": [*(rows[id_] for id_ in IDS), *added]}


SEVEN = Catalogue.from_data(data())
