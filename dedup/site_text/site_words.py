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
# two of them are one entry there. Words that reports have as often as sites do are left out, unless two make it clear.
_ENTRIES = """
subscribe, unsubscribe, subscribing, subscriber, subscribers, newsletter, newsletters, sign up, signup, sign in,
log in, login, logged in, copyright, rights reserved, reserved, republished, redistributed, click, read more,
read also, see also, follow us, contact us, join us, like us, about us, our newsletter, our website, this article,
this page, this story, this site, share this, share on, print this, email this, comments, comment, reply,
advertisement, advertise, sponsored, cookies, cookie, privacy policy, terms of, facebook, twitter, whatsapp,
telegram, instagram, youtube, rss, inbox, your email, e mail, email, download, browser, bookmark, permalink,
your inbox, app store, google play, more stories, most read, back to, free trial, support us, donate,
abonnieren, abonniere, newslettern, anmelden, melden sie, abmelden, einloggen, registrieren, vorbehalten, nachdruck,
impressum, datenschutz, klicken, weiterlesen, mehr zum, lesen sie, folgen sie, folge uns, teilen, drucken, kommentar,
kommentare, kommentieren, anzeige, werbung, unsere seite, diesen artikel, dieser artikel, unserem newsletter,
unseren newsletter, ihre e, bitte, herunterladen, nutzungsbedingungen, agb, startseite, postfach, abonnez,
abonnez vous, inscrivez, inscrivez vous, désabonner, abonnement, connexion, connectez, réservés, droits réservés,
cliquez, lire la, lire aussi, lisez, suivez, suivez nous, partager, partagez, imprimer, commentaire, commentaires,
commenter, publicité, confidentialité, mentions légales, cet article, notre lettre, notre newsletter, notre site,
votre adresse, votre e, télécharger, téléchargez, rejoignez, soutenez, courriel, suscríbete, suscríbase, suscríbanse,
suscribirse, suscripción, boletín, regístrese, regístrate, iniciar sesión, inicia sesión, reservados,
derechos reservados, haga clic, haz clic, clic, leer más, lee también, lea también, síguenos, síganos, compartir,
comparte, comparta, imprimir, comentarios, comentar, publicidad, privacidad, aviso legal, este artículo,
esta noticia, nuestro boletín, nuestra web, su correo, tu correo, descargar, descarga, descárgate, únete, apóyanos,
escríbanos, iscriviti, iscrivetevi, abbonati, abbonamento, accedi, registrati, riservati, diritti riservati,
riservata, clicca, cliccate, leggi, leggi anche, leggi tutto, seguici, seguiteci, condividi, condividete, commenti,
commenta, pubblicità, informativa, nostra newsletter, questo articolo, scarica, scaricate, scrivici, assine, assinar,
assinatura, inscreva, inscreva se, subscreva, cadastre, cadastre se, direitos reservados, clique, leia mais,
leia também, siga nos, compartilhe, compartilhar, partilhe, partilhar, comentários, comente, publicidade,
privacidade, nossa newsletter, este artigo, esta notícia, abonneer, schrijf, meld je, aanmelden, inloggen,
rechten voorbehouden, voorbehouden, klik, lees ook, lees meer, volg ons, delen, afdrukken, reacties, reageer,
reageren, advertentie, privacybeleid, nieuwsbrief, onze site, zapisz, zapisz się, zaprenumeruj, prenumerata, zaloguj,
zaloguj się, zarejestruj, zarejestruj się, zastrzeżone, prawa zastrzeżone, kopiowanie, przedruk, kliknij, czytaj,
czytaj także, czytaj też, czytaj więcej, zobacz, zobacz także, obserwuj, polub, polub nas, udostępnij, podziel się,
poleć, drukuj, komentarze, komentarz, komentarzy, skomentuj, dodaj, reklama, reklamy, polityka prywatności,
regulamin, newslettera, naszego newslettera, nasz newsletter, ten artykuł, naszej stronie, pobierz, dołącz, wyślij,
znajomemu, odpowiedz, zgłoś, odebírat, přihlaste, přihlásit, registrovat, vyhrazena, práva vyhrazena, klikněte,
čtěte, čtěte také, sledujte, sdílet, sdílejte, tisk, komentáře, diskuse, ochrana soukromí, newsletteru, tento článek,
odběr, prenumerera, logga in, registrera, förbehålles, rättigheter förbehålles, klicka, läs mer, läs också, följ oss,
skriv ut, kommentarer, kommentera, annons, integritetspolicy, nyhetsbrev, vårt nyhetsbrev, tilmeld, tilmeld dig,
log ind, læs også, følg os, nyhedsbrev, abonner, les også, nyhetsbrevet, tilaa, uutiskirje, kirjaudu, kommentoi,
mainos, abone, abone olun, bülten, bültenimize, bültenine, giriş yap, üye ol, kayıt ol, hakları saklıdır, saklıdır,
alıntılanamaz, tıklayın, tıklayınız, devamı, okuyun, takip edin, takip et, paylaş, paylaşın, yazdır, yorum, yorumlar,
yorumunuz, reklam, gizlilik, indirin, çerez, çerezler, abonează, abonați, abonaţi, drepturile rezervate, rezervate,
citește, citeşte, citește și, distribuie, comentarii, urmărește, publicitate, conectare, iratkozz, iratkozzon,
feliratkozás, hírlevél, hírlevelünkre, hírlevelünk, jog fenntartva, kattintson, kattints, olvassa, megosztás,
hozzászólás, hozzászólások, hirdetés, kövess, подпишитесь, подписывайтесь, подписаться, подписка, подпишись,
рассылка, рассылку, вход, войти, войдите, авторизуйтесь, зарегистрируйтесь, регистрация, зарегистрироваться,
права защищены, перепечатка, перепечатке, копирование, использовании материалов, использование материалов,
гиперссылка, ссылка, нажмите, кликните, читайте, читать, читать далее, читайте также, читайте нас, подробнее,
смотрите также, следите, присоединяйтесь, поделиться, поделитесь, поделись, распечатать, версия для, комментарии,
комментарий, комментариев, комментировать, оставить, реклама, рекламы, политика конфиденциальности,
конфиденциальности, пользовательское соглашение, наш канал, нашу рассылку, нашем канале, нашем сайте, этой статьи,
скачайте, скачать, пожалуйста, ответить, просмотров, вконтакте, телеграм, підпишіться, підписуйтесь, підписатися,
розсилку, увійти, зареєструйтесь, реєстрація, захищено, права захищено, натисніть, читайте також, читати, поділитися,
коментарі, коментувати, конфіденційності, передрук, нашу розсилку, абонирайте, абонамент, запазени, права запазени,
прочетете, споделете, коментари, последвайте, εγγραφείτε, εγγραφή, συνδρομή, συνδρομητές, συνδεθείτε, σύνδεση,
είσοδος, δικαιώματα διατηρούνται, διατηρούνται, επιφύλαξη, επιφύλαξη παντός, αναδημοσίευση, κάντε κλικ, κλικ,
διαβάστε, διαβάστε επίσης, διαβάστε περισσότερα, δείτε, δείτε επίσης, ακολουθήστε, ακολουθήστε μας, κοινοποίηση,
κοινοποιήστε, μοιραστείτε, εκτύπωση, εκτυπώστε, σχόλια, σχόλιο, σχολιάστε, διαφήμιση, απορρήτου, όροι χρήσης,
ενημερωτικό δελτίο, newsletter μας, το άρθρο, στείλτε, επικοινωνία, επικοινωνήστε, προβολές, اشترك, اشتركوا,
الاشتراك, النشرة, نشرتنا, نشرتنا الإخبارية, تسجيل الدخول, تسجيل, محفوظة, الحقوق محفوظة, جميع الحقوق, اضغط, انقر,
اقرأ, اقرأ أيضا, اقرأ أيضًا, اقرأ المزيد, المزيد, تابعنا, تابعونا, شارك, مشاركة, طباعة, تعليقات, التعليقات, تعليق,
أضف, إعلان, سياسة الخصوصية, الخصوصية, شروط الاستخدام, فيسبوك, تويتر, هذا المقال, موقعنا, البريد الإلكتروني, مشترک,
عضویت, خبرنامه, محفوظ است, کلیک, کلیک کنید, بخوانید, بیشتر بخوانید, دنبال کنید, اشتراک گذاری, نظرات, دیدگاه, تبلیغات,
حریم خصوصی, سبسکرائب, نیوز لیٹر, تبصرہ, شیئر, حقوق محفوظ, הירשמו, הרשמה, הצטרפו, ניוזלטר, לניוזלטר, התחברות,
הזכויות שמורות, שמורות, לחצו, קראו, קראו עוד, עקבו, שתפו, הדפסה, תגובות, הגיבו, פרסומת, מדיניות הפרטיות, सदस्यता,
सब्सक्राइब, न्यूज़लेटर, न्यूजलेटर, साइन अप, लॉग इन, सर्वाधिकार, सर्वाधिकार सुरक्षित, क्लिक, पढ़ें, और पढ़ें, फॉलो,
शेयर, साझा करें, शेयर करें, प्रिंट, टिप्पणी, टिप्पणियाँ, विज्ञापन, गोपनीयता, फेसबुक, ट्विटर, ईमेल, डाउनलोड,
সাবস্ক্রাইব, নিউজলেটার, সর্বস্বত্ব, সংরক্ষিত, ক্লিক, আরও পড়ুন, শেয়ার, মন্তব্য, বিজ্ঞাপন, 구독, 구독하기, 뉴스레터,
뉴스레터를, 로그인, 회원가입, 무단, 무단전재, 무단 전재, 재배포, 저작권자, 클릭, 더보기, 관련기사, 공유, 공유하기,
인쇄, 댓글, 광고, 개인정보, 이메일, 신청하세요, 구독하세요, 팔로우, đăng ký, bản tin, đăng nhập, bản quyền, giữ bản,
nhấp, xem thêm, đọc thêm, theo dõi, chia sẻ, bình luận, quảng cáo, bảo mật, berlangganan, langganan, buletin,
hak cipta, dilindungi, baca, baca juga, selengkapnya, ikuti, bagikan, komentar, iklan, privasi, kebijakan privasi,
reproduction without, reproduction interdite, reproducción total, prohibida la, prohibida su, proibida a,
riproduzione riservata, devamını oku, please read, please contact, most popular, our app, 订阅, 訂閱, 登录, 登錄,
登入, 注册, 註冊, 版权, 版權, 转载, 轉載, 点击, 點擊, 点此, 全文, 分享, 打印, 列印, 评论, 評論, 留言, 回复, 回覆,
廣告, 广告, 隐私, 隱私, 网友, 網友, 微博, 微信, 扫描, 二维, 本站, 本网, 本網, 首页, 首頁, 邮箱, 信箱, 郵件, 邮件,
下载, 下載, 收藏, 請勿, 请勿, 授权, 授權, 未经, 未經, 責編, 责编, 点我, 購読, 登録, 配信, 無断, 転載, 禁じ, 著作,
印刷, 広告, 会員, ご覧, お問, 規約, ツイ, クリ, 当サ, ログ, くだ, ェア, コメ, สมั, คลิ, ลิข
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
