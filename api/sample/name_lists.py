"""Made-up names, places and titles. Domains and telephone numbers are from ranges reserved for fiction."""

from dataclasses import dataclass

from api.sample.random_source import Weighted

FIRST_NAMES = tuple(
    """Ada Adele Agnes Ahmed Aisha Alan Albert Alice Amara Amelie Ana Andrea Anna Anton Aoife Arjun Astrid Beatrice
    Bela Benedict Bjorn Bruno Camille Carla Caspar Cecilia Chiara Chloe Clara Claude Conor Cyril Daniel Daria
    David Deepa Diana Dominic Edith Elena Elias Elin Emil Emma Erik Esther Eva Fabian Farah Felix Fiona Florian
    Freya Gabriel Gemma Georg Greta Hanna Harold Hassan Helen Henrik Hugo Ida Imani Ines Ingrid Irene Isaac Ivan
    Jakob Jana Jasmin Jean Joan Jonas Josef Julia Karin Kasper Keiko Kofi Lara Lars Laura Leila Lena Leo Liam
    Lina Linus Lucia Lukas Maeve Magnus Maja Malik Marc Maria Marta Martin Mateo Maud Maya Mei Mira Miriam Nadia
    Naomi Nico Nils Nina Noah Nora Olga Oliver Omar Oscar Paula Pavel Petra Philip Priya Quentin Rafael Ramon
    Ravi Rita Robin Rosa Ruth Samir Sara Sean Selma Simon Sofia Stella Sven Tamara Tariq Theo Thomas Tilda Tom
    Uma Ursula Valentin Vera Victor Viola Wanda Wei Yara Yusuf Zara Zoe""".split()
)
LAST_NAMES = tuple(
    """Abbot Achterberg Ainsley Almeida Andersson Appleby Arkwright Aubert Bancroft Barlow Baumann Beaumont Bellamy
    Berg Bianchi Blackwood Bouvier Bowden Brandt Bremner Brightman Calloway Carmichael Castell Chandra Clement
    Conway Corrigan Dahl Dalgaard Delacroix Devlin Dietrich Donnelly Dressler Dubois Eberhardt Ekberg Eklund
    Falk Fairchild Farrow Ferreira Fielding Fischbach Forsberg Fournier Gallagher Garnier Goodwin Granger
    Greenhalgh Gruber Hadley Hagen Halvorsen Hartley Hawthorne Hedlund Hennessy Herrmann Holloway Holmberg
    Ibrahim Ivarsson Jansson Jardine Kapoor Kavanagh Keller Kerrigan Kessler Kingsley Krause Lachance Langford
    Larsson Laurent Lindqvist Lockhart Lombard Lundgren Macready Mahler Marchand Marlowe Mercier Merriman Moreau
    Mulligan Nakamura Nayar Nordin Oakley Okafor Olsson Osborne Pemberton Perrault Pfeiffer Quinlan Radcliffe
    Rahman Reinhardt Renard Ridley Rosenthal Rossi Rowntree Sandberg Sauvage Schaefer Selby Serrano Sinclair
    Soderberg Sorensen Stadler Stanhope Sterling Tanaka Thackeray Thorne Tremblay Underhill Vasquez Vogel
    Wallace Weatherby Weiss Westbrook Whitlock Winther Wolff Yamada Yardley Zeller Zimmer""".split()
)
COMPANY_STEMS = tuple(
    """Alder Amber Arden Ash Aster Birch Black Blue Bramble Bright Cedar Clear Cloud Copper Coral Crane Dawn Dun East
    Elder Ember Fair Falcon Fern Flint Fox Glen Gold Gran Green Hawk Hazel Heather High Iron Juniper Kestrel
    Lark Linden Long Maple March Merle Mill Moss North Oak Osprey Pine Quill Raven Red Rowan Sand Silver Spring
    Stone Swift Thorn Vale West White Willow Win Wren""".split()
)
COMPANY_TAILS = tuple(
    """bank beck bourne bridge brook bury by cliff combe croft dale den fell field ford gate grove ham haven hill holm
    hurst land ley lock mere moor mouth port reach ridge shaw shore side stead stoke ton vale wark water way
    well wick wood worth yard""".split()
)


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry: suffixes of its company names, and the median size and revenue of its companies."""

    name: str
    suffixes: tuple[str, ...]
    employees: int
    revenue_per_head: int


INDUSTRIES = Weighted(
    (
        (Industry("Software", ("Systems", "Software", "Labs", "Cloud"), 90, 160_000), 18),
        (Industry("Manufacturing", ("Works", "Industries", "Precision", "Components"), 320, 190_000), 16),
        (Industry("Professional services", ("Partners", "Advisory", "Consulting"), 70, 140_000), 14),
        (Industry("Logistics", ("Logistics", "Freight", "Transport"), 240, 150_000), 11),
        (Industry("Retail", ("Stores", "Trading", "Markets"), 280, 210_000), 11),
        (Industry("Financial services", ("Capital", "Finance", "Insurance"), 180, 320_000), 10),
        (Industry("Healthcare", ("Health", "Clinics", "Medical"), 210, 130_000), 9),
        (Industry("Education", ("Academy", "Learning", "College"), 110, 80_000), 6),
        (Industry("Energy", ("Energy", "Power", "Renewables"), 260, 380_000), 5),
    )
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country: its time zones, and a telephone number in which every # stands for a random digit."""

    code: str
    timezones: tuple[str, ...]
    phone: str


# Only countries whose regulator reserves telephone numbers for fiction, so that nobody receives a call.
COUNTRIES = Weighted(
    (
        (Country("DE", ("Europe/Berlin",), "+49 30 23125 ###"), 24),
        (Country("US", ("America/New_York", "America/Chicago", "America/Los_Angeles"), "+1 202 555 01##"), 22),
        (Country("GB", ("Europe/London",), "+44 20 7946 0###"), 18),
        (Country("FR", ("Europe/Paris",), "+33 1 99 00 ## ##"), 13),
        (Country("SE", ("Europe/Stockholm",), "+46 8 465 004 ##"), 8),
        (Country("CA", ("America/Toronto", "America/Vancouver"), "+1 613 555 01##"), 7),
        (Country("IE", ("Europe/Dublin",), "+353 20 91# ####"), 4),
        (Country("AU", ("Australia/Sydney",), "+61 2 5550 ####"), 4),
    )
)

# Job title, and the title after a promotion.
JOB_TITLES = Weighted(
    (
        (("Marketing specialist", "Marketing manager"), 12),
        (("Marketing manager", "Head of marketing"), 12),
        (("Sales operations analyst", "Sales operations manager"), 10),
        (("Sales manager", "Head of sales"), 12),
        (("Operations manager", "Director of operations"), 14),
        (("IT manager", "Director of IT"), 12),
        (("Data analyst", "Head of analytics"), 9),
        (("Procurement manager", "Head of procurement"), 6),
        (("Finance manager", "Chief financial officer"), 6),
        (("Chief executive officer", "Chief executive officer and chair"), 5),
        (("Student", "Junior analyst"), 2),
    )
)
FREE_MAIL_DOMAINS = ("freemail.example", "webmail.example")
ROLE_MAILBOXES = ("info", "sales", "office", "contact")
BUYING_ROLES = ("Economic buyer", "Technical buyer", "Champion", "Influencer", "User")
