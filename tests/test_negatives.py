"""Texts that repeat themselves on purpose: none of them may lose a word, whatever their language or line ends.

Each case is a kind of text that a newsroom prints. Its repeats are meant: a question, a refrain, the meals of a day,
the wording of a form. Filler prose between them consists of invented words.
"""

from __future__ import annotations

import random

import pytest

from dedup import clean_articles
from dedup.repeats.detect import BLOCK_RULE, detect_repeats
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key
from dedup.settings import Settings

SYLLABLES = ("ba", "co", "du", "fe", "gi", "lo", "mu", "ne", "pi", "ra", "so", "tu", "va", "we", "cle", "dri", "gro")


def prose(seed: int, count: int, low: int = 18, high: int = 40) -> list[str]:
    """Return sentences of invented words, all different."""
    rng = random.Random(seed)

    def word() -> str:
        return "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))

    return [" ".join(word() for _ in range(rng.randint(low, high))).capitalize() + "." for _ in range(count)]


P = prose(1, 60)


def between(repeated: list[str], others: list[str]) -> list[str]:
    """Return each of `others` with all of `repeated` before it."""
    return [piece for other in others for piece in (*repeated, other)]


def after(repeated: list[str], others: list[str]) -> list[str]:
    return [piece for other in others for piece in (other, *repeated)]


LONG_QUESTION = (
    "Minister, the opposition says that your government knew of the report in March and kept it from the public for"
    " half a year, that people in the valley drank the water all that time, and that nobody has been told since then"
    " whether it is safe; what do you say to the families who ask you that?"
)
LONG_ANSWER = (
    "You can return any item within thirty days of delivery in its original packaging. Print the label that came with"
    " your order, bring the parcel to a post office, and keep the receipt until we have refunded you. Refunds are made"
    " to the card that you paid with and take up to ten working days."
)
CHORUS = [
    "Oh the river runs down to the sea where my father was born long ago,",
    "and the boats that went out in the morning are the boats that come home in the snow,",
    "so I sing to the moon and the water and to all who have nowhere to go,",
    "oh the river runs down to the sea and it never runs back to the snow.",
]
VERSES = [
    [
        "I was seven years old when the mill at the bridge burned down to the ground,",
        "and my mother stood there in the ashes and she never once uttered a sound,",
        "and the men in the coats from the city came and paid us with half of a pound,",
        "and the wheel lay there black in the water like a thing that had nearly been drowned.",
    ],
    [
        "I was twenty the year of the strike when the gates of the harbour were closed,",
        "and we slept under sails in the winter and we ate what the fishermen chose,",
        "and we marched up the hill in the morning with our hands in the sleeves of our clothes,",
        "and the songs that we sang to keep warm there are the only ones anyone knows.",
    ],
    [
        "I am old as the stones in the churchyard and I walk with a stick made of ash,",
        "and the children who live by the river have no use for a story of cash,",
        "but they sit on the wall in the evening when the otters come up with a splash,",
        "and I tell them of mills and of harbours and of boats that went down in a flash.",
    ],
    [
        "When I go let them carry me slowly past the place where the water wheel stood,",
        "let them stop by the gates of the harbour and then burn me with fisherman's wood,",
        "let them scatter my dust on the river as my father once told me they should,",
        "and then let them go home to their children, for the living have need of what's good.",
    ],
]
LITANY = [
    "For the peace of the world and the welfare of all who live in it, let us pray to the Lord.",
    "Lord, hear our prayer, and let our cry come unto thee, now and at the hour of need.",
]
MEALS = [
    "Breakfast: a bowl of oatmeal with skimmed milk, half a banana, cinnamon, and a cup of green tea without sugar.",
    "Lunch: two slices of wholemeal bread with cottage cheese, tomato, cucumber, a hard-boiled egg and an apple.",
    "Dinner: four ounces of grilled chicken breast with steamed broccoli, brown rice and a spoonful of olive oil.",
    "Snack: a handful of almonds or a carrot cut in sticks with two spoonfuls of hummus.",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
SPECS = [
    "Frame of welded steel with a powder coating that resists scratches; seat and back of moulded beech plywood.",
    "Delivered flat in one box with all screws and one key; two people put it together in about twenty minutes.",
    "Guaranteed for five years against faults of material and of workmanship, for private use indoors only.",
]
LETTER = [
    "I am writing to ask for your help in a matter that concerns every farmer in our two states this spring.",
    "The Department has had our application for disaster relief since November and has not answered one letter.",
    "Meanwhile the planting season begins in four weeks and seed must be ordered and paid for before then.",
    "I ask you to let me know by Friday when a decision will be made and who is going to make it.",
]
SCHEDULE = [
    "8:00 Registration opens in the foyer; coffee and tea are served",
    "9:00 Opening remarks and announcements of the day by the chair of the committee",
    "10:30 Coffee break in the foyer with an exhibition of posters by students",
    "12:30 Lunch in the dining hall, vegetarian dishes on the table by the window",
    "15:30 Coffee break in the foyer with an exhibition of posters by students",
    "18:00 Doors close; shuttle buses leave for the hotels from the main gate",
]
DOCKET = [
    "Motion for summary judgment filed by defendant; memorandum of law in support; certificate of service attached.",
    "Order granting plaintiff an extension of time to answer the motion; answer due in fourteen days from entry.",
    "Minute entry for proceedings held before the magistrate judge; court reporter present; exhibits kept by clerk.",
]
CASES = {
    "an interview with twenty equal long questions": between([LONG_QUESTION], P[:20]),
    "a debate: the same two questions to five candidates": [
        piece
        for at, name in enumerate(("Moss", "Ash", "Bell", "Reed", "Hall"))
        for piece in (
            f"{name.upper()}",
            LONG_QUESTION,
            P[2 * at],
            "And would you vote for the bill as it stands today, with all the amendments of the other house in it?",
            P[2 * at + 1],
        )
    ],
    "an interviewer who asks the same twice, far apart": [*P[:5], LONG_QUESTION, *P[5:12], LONG_QUESTION, *P[12:15]],
    "a FAQ with equal long answers": [piece for question in P[:6] for piece in (question[:-1] + "?", LONG_ANSWER)],
    "a FAQ with equal long answers in paragraphs": [
        piece for question in P[:5] for piece in (question[:-1] + "?", *LONG_ANSWER.split(". "))
    ],
    "a FAQ whose questions stand above as a list": [
        *(text[:-1] + "?" for text in P[:6]),
        *(piece for at in range(6) for piece in (P[at][:-1] + "?", P[20 + at])),
    ],
    "a song with four long choruses, lines": [line for verse in VERSES for line in (*verse, *CHORUS)],
    "a song with four long choruses, stanzas": [
        stanza for verse in VERSES for stanza in ("\n".join(verse), "\n".join(CHORUS))
    ],
    "a song with four long choruses, a stanza in a line": [
        stanza for verse in VERSES for stanza in (" ".join(verse), " ".join(CHORUS))
    ],
    "a song with two long choruses": [line for verse in VERSES[:2] for line in (*verse, *CHORUS)],
    "a song that begins and ends with its chorus": [*CHORUS, *VERSES[0], *VERSES[1], *CHORUS],
    "a song whose last chorus is sung twice": [*VERSES[0], *CHORUS, *VERSES[1], *CHORUS, *CHORUS],
    "lyrics in an article, the chorus twice": [P[0], P[1], *VERSES[0], *CHORUS, P[2], *VERSES[1], *CHORUS, P[3]],
    "a villanelle": [
        "Do not stay by the door of the house when the light in the window is low;",
        "the old should be out on the roads and the fields when the last of the day has gone by;",
        "be loud, be a nuisance, be out in the rain, be the last of the guests that will go.",
        P[0],
        "Do not stay by the door of the house when the light in the window is low;",
        P[1],
        "be loud, be a nuisance, be out in the rain, be the last of the guests that will go.",
        P[2],
        "Do not stay by the door of the house when the light in the window is low;",
        "be loud, be a nuisance, be out in the rain, be the last of the guests that will go.",
    ],
    "a litany": after(LITANY, P[:8]),
    "a litany of one response": after(LITANY[1:], [text[:60] for text in P[:12]]),
    "a psalm with its refrain": after(["For his mercy endureth for ever and his truth unto all generations."], P[:9]),
    "a meal plan of seven equal days": [line for day in DAYS for line in (day, *MEALS)],
    "a meal plan where five days are nearly the same": [
        line
        for at, day in enumerate(DAYS)
        for line in (
            day,
            *(meal if at != number else P[at] for number, meal in enumerate(MEALS)),
        )
    ],
    "a meal plan of two weeks": [
        line for week in (1, 2) for day in DAYS for line in (f"{day}, week {week}", *MEALS[: 2 + (len(day) % 3)])
    ],
    "a meal plan, two equal days and five others": [
        line for at, day in enumerate(DAYS) for line in (day, *(MEALS if at in {1, 4} else P[at * 4 : at * 4 + 4]))
    ],
    "three days with one schedule": [line for day in DAYS[:3] for line in (f"{day}, June {len(day)}", *SCHEDULE)],
    "two days with one schedule": [line for day in DAYS[:2] for line in (f"{day}, June {len(day)}", *SCHEDULE)],
    "recipes that differ in one amount": [
        line
        for ounces in (4, 8)
        for line in (
            f"For {ounces // 2} people",
            f"{ounces} oz of flour, sifted twice, with a pinch of salt and a spoonful of fresh baking powder",
            f"{ounces} oz of butter at room temperature, cut in pieces the size of a walnut and creamed with sugar",
            f"{ounces // 2} eggs, beaten well, stirred into the butter one by one lest it curdle",
            f"{ounces * 2} oz of cherries, stoned and drained, rolled in flour lest they sink to the bottom",
        )
    ],
    "products with the same block of specifications": [
        line for name in ("Alba", "Brio", "Cara", "Dora") for line in (f"Chair {name}", *SPECS)
    ],
    "two products with the same block": [
        line for at, name in enumerate(("Alba", "Brio")) for line in (f"Chair {name}", P[at], f"Price: ${at}99", *SPECS)
    ],
    "letters of the same wording to two people": [
        *P[:2],
        "The Honorable Ann Moss, Secretary of Agriculture",
        "Dear Secretary Moss:",
        *LETTER,
        "Sincerely,",
        "The Honorable Jo Bell, Director of the Budget",
        "Dear Director Bell:",
        *LETTER,
        "Sincerely,",
    ],
    "letters of the same wording to three people": [
        *P[:2],
        *(
            line
            for name in ("Secretary Moss", "Director Bell", "Administrator Reed")
            for line in (f"The Honorable {name}", f"Dear {name}:", *LETTER, "Sincerely,")
        ),
    ],
    "letters to two people, their names in the text": [
        *P[:2],
        *(
            line
            for name in ("Secretary Moss", "Director Bell")
            for line in (f"Dear {name}:", *(text.replace("I ask you", f"{name}, I ask you") for text in LETTER))
        ),
    ],
    "tables of a poll under each question": [
        line
        for question in P[:5]
        for line in (question[:-1] + "?", "Total Men Women 18-29 30-44 45-64 65+", "Yes", "No", "No opinion", "100%")
    ],
    "results with the same row for each match": [
        line
        for at in range(8)
        for line in (
            f"Match {at + 1}",
            P[at][:30],
            "Attendance: sold out; weather: fair; pitch: good; referee: J. Hall",
        )
    ],
    "a docket with the same entries under other numbers": [
        line for at in range(6) for line in (f"2:07-cv-{1100 + at}", P[at][:40], *DOCKET)
    ],
    "a docket of two cases": [line for at in range(2) for line in (f"2:07-cv-{1100 + at} {P[at][:50]}", *DOCKET)],
    "a changelog with the same entry in each release": [
        line
        for at in range(8)
        for line in (
            f"Version 1.{at}",
            P[at],
            "Fixed several small bugs and improved the stability and the speed of the application on older devices.",
            "Updated translations for German, French, Spanish, Italian, Dutch and Polish; thanks to all who helped.",
        )
    ],
    "a chat log": [
        line
        for at in range(10)
        for line in (
            f"[10:{at}1] <ann> {P[at][:40]}",
            "<bot> Read the rules of the channel before you post here.",
        )
    ],
    "minutes of meetings": [
        line
        for at in range(5)
        for line in (
            f"Item {at + 1}",
            P[at],
            "Moved by Councilor Ash and seconded by Councilor Bell that the recommendation of staff be adopted.",
            "The motion carried on a roll call vote, all members present voting in favor and none against.",
        )
    ],
    "minutes of two motions": [
        line
        for at in range(2)
        for line in (
            P[at],
            "Moved by Councilor Ash and seconded by Councilor Bell that the recommendation of staff be adopted.",
            "The motion carried on a roll call vote, all members present voting in favor and none against.",
        )
    ],
    "obituaries with the same last lines": [
        line
        for at in range(5)
        for line in (
            P[at],
            "Services will be held on Saturday at ten in the morning at the First Church on Main Street.",
            "In lieu of flowers the family asks that donations be made to the volunteer fire department.",
        )
    ],
    "a pledge read by two people": [
        *P[:3],
        "I will support and defend the constitution against all enemies, foreign and domestic, so help me God.",
        *P[3:6],
        "I will support and defend the constitution against all enemies, foreign and domestic, so help me God.",
        *P[6:8],
    ],
    "speech quoted again at the end": [f"“{P[0]} {P[1]}”", *P[2:10], f"“{P[0]} {P[1]}”"],
    "lots of an auction": [
        line
        for at in range(6)
        for line in (
            f"Lot {at + 1}",
            P[at],
            "Condition: good, with light wear to the edges; a full report is sent on request by the department.",
            "Provenance: by descent to the present owner; shipping is arranged and paid for by the buyer.",
        )
    ],
    "warnings under each step": [
        line
        for at in range(7)
        for line in (
            f"Step {at + 1}. {P[at]}",
            "Warning: switch off the machine and pull the plug before you open the cover, or you may lose a finger.",
        )
    ],
    "clauses that differ in one number": [
        f"({at}) The tenant pays the landlord {at}00 dollars on the first day of each month of the {at}th year, and the"
        " landlord keeps roof and walls in repair."
        for at in range(1, 9)
    ],
    "clauses that differ in one name": [
        f"The State of {name} shall receive its share of the fund in four equal parts, and shall tell the Secretary"
        " once a year how it was spent."
        for name in ("Ohio", "Utah", "Iowa", "Maine", "Texas", "Nevada")
    ],
    "speaker labels and stage directions": [
        line for at in range(12) for line in (("ANN:", "JO:")[at % 2], P[at], "(He looks out of the window and sighs.)")
    ],
    "weather for five regions": [
        line
        for at, name in enumerate(("North", "South", "East", "West", "Coast"))
        for line in (
            name,
            "Sunny in the morning with clouds and a few showers in the afternoon; light winds from the southwest.",
            f"High {60 + at}, low {40 + at}. {P[at][:20]}",
        )
    ],
    "weather for two regions, word for word": [
        line
        for name in ("North", "South")
        for line in (
            name,
            "Sunny in the morning with clouds and a few showers in the afternoon; light winds from the southwest.",
            "Mild at night with patches of fog in the valleys; dry and warmer on the following day until evening.",
        )
    ],
}
TRANSLATED = {
    "Spanish: interview": between(
        ["Ministro, la oposición dice que usted conocía el informe desde marzo; ¿qué les dice a las familias?"],
        P[:9],
    ),
    "German: meal plan": [
        line
        for day in ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag")
        for line in (
            day,
            "Frühstück: eine Schale Haferflocken mit fettarmer Milch, eine halbe Banane und ein Glas Tee ohne Zucker.",
            "Mittagessen: zwei Scheiben Vollkornbrot mit Hüttenkäse, Tomate, Gurke, einem Ei und einem Apfel.",
            "Abendessen: gegrillte Hähnchenbrust mit gedünstetem Brokkoli, Naturreis und einem Löffel Olivenöl dazu.",
        )
    ],
    "French: a litany": after(
        ["Seigneur, entends notre prière, et que notre cri parvienne jusqu'à toi à l'heure de la détresse."],
        P[:8],
    ),
    "Russian: a song": [
        line
        for at in range(4)
        for line in (
            P[at],
            "Течёт река до синего моря, где давно родился мой отец, и лодки домой возвращаются в снег,",
            "а я пою луне и воде и всем, кому некуда больше идти, и песне моей не настанет конец.",
        )
    ],
    "Chinese: interview": [
        line
        for at, answer in enumerate(
            (
                "我们从三月份开始就一直在检查水质，所有数据都会在网站上公开，居民可以随时查看。",
                "这个问题应该由省里的专家来回答，我只能说市政府已经拨款修建新的水厂。",
                "我不同意这种说法，去年秋天我们就通知了山谷里的每一户人家，并且送去了桶装水。",
                "调查还没有结束，等报告出来以后我们会召开新闻发布会，向大家说明全部情况。",
            )
        )
        for line in (
            "记者：部长先生，反对党说您的政府早在三月就知道这份报告，却隐瞒了半年，您对那些家庭有什么话要说？",
            answer,
        )
    ],
    "Chinese: a song": [
        line
        for verse in (
            "七岁那年桥边的磨坊烧成了灰，母亲站在灰烬里一句话也没有说，",
            "二十岁那年港口的大门紧紧关闭，我们在船帆下面度过了整个冬天，",
            "如今我像墓园里的石头一样苍老，孩子们坐在墙头听我讲从前的故事，",
        )
        for line in (
            verse,
            "啊河水流向大海那是父亲出生的地方，清晨出发的船在雪中回到家乡，",
            "我对着月亮和流水歌唱，唱给所有无处可去的人听。",
        )
    ],
    "Japanese: a daily schedule": [
        line
        for day in ("月曜日", "火曜日", "水曜日", "木曜日")
        for line in (
            day,
            "午前九時から受付を開始し、ロビーでコーヒーとお茶をお出しします。学生によるポスター展示もご覧いただけます。",
            "正午から食堂で昼食をとり、午後一時半から分科会を再開します。窓側の席に菜食の料理をご用意しています。",
            "午後六時に閉場し、正門前からホテル行きの送迎バスが出発します。乗り遅れないようご注意ください。",
        )
    ],
    "Korean: a FAQ": [
        line
        for question in (
            "환불은 어떻게 받나요?",
            "주소를 잘못 적었어요. 어떻게 하나요?",
            "물건이 깨져서 왔어요. 어떻게 하나요?",
        )
        for line in (
            question,
            "배송을 받은 날부터 삼십 일 안에 반품하실 수 있습니다. 라벨을 인쇄해서 우체국에 소포를 맡기십시오.",
        )
    ],
    "Arabic: interview": [
        line
        for answer in (
            "نحن نفحص المياه منذ شهر مارس وكل البيانات منشورة على موقع الوزارة ويمكن للجميع قراءتها.",
            "هذا السؤال يجب أن يجيب عنه خبراء المحافظة، وكل ما أستطيع قوله أننا خصصنا المال لمحطة جديدة.",
            "لا أوافق على هذا الكلام، فقد أبلغنا كل بيت في الوادي في الخريف الماضي وأرسلنا إليهم الماء.",
        )
        for line in (
            "سيادة الوزير، تقول المعارضة إنكم كنتم تعرفون التقرير منذ مارس، فماذا تقولون لمن شربوا الماء؟",
            answer,
        )
    ],
    "Hebrew: a litany": [
        line
        for verse in (
            "על שלום העולם ועל כל היושבים בו אנו מתפללים היום הזה.",
            "על החולים ועל העניים ועל כל מי שאין לו בית.",
            "על הילדים ההולכים בדרך ועל הזקנים היושבים בשער.",
            "על הגשם בעתו ועל הטל ועל פרי האדמה.",
        )
        for line in (verse, "שמע את תפילתנו ותבוא אליך שוועתנו עכשיו ובשעת הצרה, כי אתה שומע תפילת כל פה תמיד.")
    ],
    "Hindi: a meal plan": [
        line
        for day in ("सोमवार", "मंगलवार", "बुधवार", "गुरुवार")
        for line in (
            day,
            "नाश्ता: एक कटोरी दलिया, आधा केला, थोड़ी दालचीनी और बिना चीनी की एक प्याली हरी चाय सुबह आठ बजे तक।",
            "दोपहर का भोजन: दो रोटी, एक कटोरी दाल, हरी सब्ज़ी, खीरे और टमाटर का सलाद और एक गिलास छाछ।",
            "रात का भोजन: उबली हुई सब्ज़ियाँ, थोड़ा पनीर, आधी कटोरी चावल और सोने से पहले गुनगुना दूध।",
        )
    ],
    "Thai: a song": [
        line
        for verse in (
            "ตอนอายุเจ็ดขวบโรงสีริมสะพานถูกไฟไหม้จนเหลือแต่เถ้าถ่าน",
            "ตอนอายุยี่สิบประตูท่าเรือปิดสนิทเรานอนใต้ใบเรือตลอดฤดูหนาว",
            "วันนี้ฉันแก่เหมือนก้อนหินในสุสานเด็กเด็กนั่งฟังเรื่องเล่าบนกำแพง",
        )
        for line in (verse, "สายน้ำไหลลงสู่ทะเลที่ซึ่งพ่อของฉันเกิดเมื่อนานมาแล้วและเรือที่ออกไปตอนเช้าก็กลับบ้านในหิมะ")
    ],
}
CASES |= TRANSLATED


def dropped(text: str) -> list[str]:
    """Return the passages of a text that are dropped as blocks."""
    spans = paragraphs(text)
    pieces = detect_repeats(text, spans, [comparison_key(text[slice(*span)]) for span in spans], Settings())
    return [
        text[pieces.spans[one.first][0] : pieces.spans[one.last][1]] for one in pieces.repeats if one.rule == BLOCK_RULE
    ]


@pytest.mark.parametrize("joint", ["\n\n", "\n"], ids=["paragraphs", "lines"])
@pytest.mark.parametrize("label", CASES)
def test_repeats_on_purpose_stay(label: str, joint: str) -> None:
    assert dropped(joint.join(CASES[label])) == []


@pytest.mark.parametrize("label", CASES)
def test_repeats_on_purpose_stay_with_headings_in_the_same_line(label: str) -> None:
    lines: list[str] = []
    for piece in CASES[label]:
        if lines and len(lines[-1].split()) < 3:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    assert dropped("\n\n".join(lines)) == []


@pytest.mark.parametrize("label", CASES)
def test_repeats_on_purpose_stay_inside_an_article(label: str) -> None:
    """With prose before and behind, the case is neither the beginning nor the end of the article."""
    assert dropped("\n\n".join([*P[50:53], *CASES[label], *P[53:57]])) == []


def test_a_whole_job_does_not_change_repeats_on_purpose() -> None:
    given = ["\n\n".join(map(str.strip, pieces)) for pieces in CASES.values()]
    alone = Settings(rules=dict.fromkeys(("near-duplicate-article", "duplicate-article", "boilerplate"), "flag"))
    result = clean_articles([{"id": str(at), "text": text} for at, text in enumerate(given)], alone)
    assert [row["text"] for row in result.articles] == given
