"""The names of months and weekdays, which change from day to day in a line that is otherwise the same."""

from __future__ import annotations

from functools import cache

import numpy as np

from dedup.arrays import U64, encode_utf8
from dedup.fingerprint.shingles import word_hash
from dedup.segment.words import words

_DATE_NAMES = """
january february march april may june july august september october november december
jan feb mar apr jun jul aug sep sept oct nov dec
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun
januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag
janvier février mars avril juin juillet août septembre octobre novembre décembre
lundi mardi mercredi jeudi vendredi samedi dimanche
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
lunes martes miércoles jueves viernes sábado domingo
gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
lunedì martedì mercoledì giovedì venerdì sabato domenica
janeiro fevereiro março maio junho julho setembro outubro dezembro segunda terça quarta quinta sexta
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
poniedziałek wtorek środa czwartek piątek sobota niedziela
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
понедельник вторник среда четверг пятница суббота воскресенье
ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου
ιανουάριος φεβρουάριος μάρτιος απρίλιος μάιος ιούνιος ιούλιος αύγουστος σεπτέμβριος οκτώβριος νοέμβριος δεκέμβριος
ιαν φεβ μαρ απρ ιουν ιουλ αυγ σεπ οκτ νοε δεκ
δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή
يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد
"""


@cache
def date_name_hashes() -> U64:
    """Return the hashes of the names as words of comparison keys, ascending: uint64 [names]."""
    folded = set(words(_DATE_NAMES))
    return np.array(sorted(word_hash(encode_utf8(word)) for word in folded), np.uint64)
