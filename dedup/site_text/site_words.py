"""Words with which a site speaks to its readers, in many languages: subscribe, copyright, share, read more.

A sentence of a report that recurs, and a sentence with which a site asks for something, look the same and may stand in
the same place. On a host of few pages, what they say is all that tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from dedup.arrays import U64, encode_utf8
from dedup.fingerprint.shingles import FNV_OFFSET, FNV_PRIME, word_hash
from dedup.segment.words import words

# One word or two in a row, separated by commas. Characters of scripts without spaces are words by themselves, so that
# two of them are one entry there. Words that are in reports as well are left out (comment, advertisement, registration,
# names of networks), unless a second word makes the meaning clear.
_ENTRIES = """
subscribe, unsubscribe, subscribing, subscriber, subscribers, newsletter, newsletters, sign up, signup, sign in,
log in, login, logged in, rights reserved, republished, redistributed, click, read more, read also, see also,
follow us, contact us, join us, like us, about us, our newsletter, our website, this article, this page, this story,
this site, share this, share on, print this, email this, privacy policy, terms of, your email, bookmark, permalink,
your inbox, app store, google play, more stories, most read, back to, free trial, support us, abonnieren, abonniere,
newslettern, anmelden, melden sie, einloggen, impressum, datenschutz, klicken, weiterlesen, mehr zum, lesen sie,
folgen sie, folge uns, unsere seite, diesen artikel, dieser artikel, unserem newsletter, unseren newsletter, ihre e,
herunterladen, nutzungsbedingungen, startseite, abonnez, abonnez vous, inscrivez, inscrivez vous, désabonner,
connectez, droits réservés, cliquez, lire la, lire aussi, lisez, suivez, suivez nous, partagez, confidentialité,
mentions légales, cet article, notre lettre, notre newsletter, notre site, votre adresse, votre e, téléchargez,
rejoignez, soutenez, suscríbete, suscríbase, suscríbanse, suscribirse, regístrese, regístrate, iniciar sesión,
inicia sesión, derechos reservados, haga clic, haz clic, leer más, lee también, lea también, síguenos, síganos,
aviso legal, este artículo, esta noticia, nuestro boletín, nuestra web, su correo, tu correo, descárgate, únete,
apóyanos, escríbanos, iscriviti, iscrivetevi, abbonati, registrati, diritti riservati, clicca, cliccate,
leggi anche, leggi tutto, seguici, seguiteci, condividi, condividete, informativa, nostra newsletter,
questo articolo, scaricate, scrivici, assine, assinar, inscreva, inscreva se, subscreva, cadastre, cadastre se,
direitos reservados, leia mais, leia também, siga nos, compartilhe, partilhe, nossa newsletter, este artigo,
esta notícia, abonneer, schrijf, meld je, aanmelden, inloggen, rechten voorbehouden, lees ook, lees meer, volg ons,
reageer, privacybeleid, nieuwsbrief, onze site, zapisz, zapisz się, zaprenumeruj, zaloguj, zaloguj się, zarejestruj,
zarejestruj się, prawa zastrzeżone, kliknij, czytaj, czytaj także, czytaj też, czytaj więcej, zobacz także,
obserwuj, polub, polub nas, udostępnij, podziel się, poleć, skomentuj, polityka prywatności, newslettera,
naszego newslettera, nasz newsletter, ten artykuł, naszej stronie, odebírat, přihlaste, přihlásit, práva vyhrazena,
klikněte, čtěte, čtěte také, sledujte, sdílejte, ochrana soukromí, newsletteru, tento článek, prenumerera, logga in,
registrera, rättigheter förbehålles, klicka, läs mer, läs också, följ oss, skriv ut, integritetspolicy, nyhetsbrev,
vårt nyhetsbrev, tilmeld, tilmeld dig, log ind, læs også, følg os, nyhedsbrev, abonner, les også, nyhetsbrevet,
tilaa, uutiskirje, kirjaudu, kommentoi, abone olun, bültenimize, bültenine, giriş yap, üye ol, kayıt ol,
hakları saklıdır, alıntılanamaz, tıklayın, tıklayınız, okuyun, takip edin, takip et, paylaşın, abonează, abonați,
abonaţi, drepturile rezervate, citește, citeşte, citește și, distribuie, urmărește, iratkozz, iratkozzon,
feliratkozás, hírlevél, hírlevelünkre, hírlevelünk, jog fenntartva, kattintson, kattints, kövess, подпишитесь,
подписывайтесь, подписаться, подпишись, рассылку, войдите, авторизуйтесь, зарегистрируйтесь, зарегистрироваться,
права защищены, перепечатке, использовании материалов, использование материалов, нажмите, кликните, читайте,
читать далее, читайте также, читайте нас, подробнее, смотрите также, следите, присоединяйтесь, поделитесь, поделись,
версия для, политика конфиденциальности, пользовательское соглашение, наш канал, нашу рассылку, нашем канале,
нашем сайте, этой статьи, скачайте, підпишіться, підписуйтесь, підписатися, розсилку, зареєструйтесь,
права захищено, натисніть, читайте також, нашу розсилку, абонирайте, права запазени, прочетете, споделете,
последвайте, εγγραφείτε, συνδεθείτε, δικαιώματα διατηρούνται, επιφύλαξη παντός, κάντε κλικ, κλικ, διαβάστε,
διαβάστε επίσης, διαβάστε περισσότερα, δείτε επίσης, ακολουθήστε, ακολουθήστε μας, κοινοποιήστε, μοιραστείτε,
εκτυπώστε, σχολιάστε, όροι χρήσης, ενημερωτικό δελτίο, newsletter μας, το άρθρο, στείλτε, επικοινωνήστε, اشترك,
اشتركوا, نشرتنا, نشرتنا الإخبارية, تسجيل الدخول, الحقوق محفوظة, جميع الحقوق, اضغط, انقر, اقرأ أيضا, اقرأ أيضًا,
اقرأ المزيد, تابعنا, تابعونا, سياسة الخصوصية, شروط الاستخدام, هذا المقال, موقعنا, البريد الإلكتروني, مشترک, خبرنامه,
محفوظ است, کلیک, کلیک کنید, بیشتر بخوانید, دنبال کنید, اشتراک گذاری, حریم خصوصی, سبسکرائب, نیوز لیٹر, حقوق محفوظ,
הירשמו, הצטרפו, ניוזלטר, לניוזלטר, הזכויות שמורות, לחצו, קראו עוד, עקבו, שתפו, הגיבו, מדיניות הפרטיות, सब्सक्राइब,
न्यूज़लेटर, न्यूजलेटर, साइन अप, लॉग इन, सर्वाधिकार सुरक्षित, क्लिक, और पढ़ें, साझा करें, शेयर करें, সাবস্ক্রাইব,
নিউজলেটার, সর্বস্বত্ব, ক্লিক, আরও পড়ুন, 구독하기, 뉴스레터, 뉴스레터를, 로그인, 무단전재, 무단 전재, 클릭, 더보기,
관련기사, 공유하기, 신청하세요, 구독하세요, 팔로우, đăng nhập, bản quyền, giữ bản, nhấp, xem thêm, đọc thêm,
chia sẻ, berlangganan, hak cipta, dilindungi, baca, baca juga, selengkapnya, ikuti, bagikan, kebijakan privasi,
reproduction without, reproduction interdite, reproducción total, prohibida la, prohibida su, proibida a,
riproduzione riservata, devamını oku, please read, please contact, most popular, our app, 点击, 點擊, 点此, 二维,
本站, 本网, 本網, 首页, 首頁, 請勿, 请勿, 責編, 责编, 点我, ご覧, お問, 当サ, くだ, สมั, คลิ, ลิข, your comment,
post a, leave a, our comments, all comments, share your, 转载, 轉載, 転載, 無断
"""


def pair_hash(first: int, second: int) -> int:
    """Return the hash of two words in a row, given those of both."""
    value = FNV_OFFSET
    for each in (first, second):
        value = ((value ^ each) * FNV_PRIME) & ((1 << 64) - 1)
    return value


@cache
def site_word_hashes() -> U64:
    """Return the hashes of the words and pairs of words, ascending: uint64 [entries]."""
    hashes = set()
    for entry in _ENTRIES.split(","):
        values = [word_hash(encode_utf8(word)) for word in words(entry)]
        hashes.add(values[0] if len(values) == 1 else pair_hash(*values))
    return np.array(sorted(hashes), np.uint64)


def count_site_words(hashes: Sequence[int]) -> int:
    """Return how many of the words with these `hashes`, and of the pairs of them in a row, are on the list.

    >>> count_site_words([word_hash(word) for word in b"sign up for our newsletter".split()])
    3
    """
    listed = _listed()
    return sum(value in listed for value in hashes) + sum(pair_hash(*pair) in listed for pair in pairwise(hashes))


@cache
def _listed() -> frozenset[int]:
    return frozenset(site_word_hashes().tolist())
