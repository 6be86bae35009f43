"""The names of months in many languages; written by tools/month_names.py from CLDR."""

_NAMES = (
    """
    ene enero gen gener gennaio ian ianuarie jaan jaanuar jan janeiro januar januari january január januára janv janvier janvāris
    janúar jän jänner led leden ledna oca ocak saus sausio sausis sty styczeń stycznia tammi tammikuu tammikuuta urt urtarrila ιαν
    ιανουάριοσ ιανουαρίου січ січень січня янв январь января яну януари јан јануар
    """,
    """
    feb febbraio feber febr febrer febrero februar februari februarie february február februára februāris febrúar fev fevereiro févr
    février helmi helmikuu helmikuuta lut lutego luty ots otsaila vas vasario vasaris veebr veebruar úno únor února şub şubat φεβ
    φεβρουάριοσ φεβρουαρίου лют лютий лютого феб фебруар фев февр февраль февраля февруари
    """,
    """
    bře březen března kov kovas kovo maalis maaliskuu maaliskuuta maart mar marca march marec maret mars mart martie marts martxoa
    marzec marzo març março mrt mrz márc március mär märts märz μάρ μάρτιοσ μαρ μαρτίου бер березень березня мар март марта
    """,
    """
    abr abril api apirila apr april aprile aprilie aprill apríl apríla aprīlis avr avril bal balandis balandžio dub duben dubna huhti
    huhtikuu huhtikuuta kwi kwiecień kwietnia nis nisan ápr április απρ απρίλιοσ απριλίου апр апрель апреля април квіт квітень квітня
    """,
    """
    geg gegužė gegužės kvě květen května mag maggio mai maiatza maig maijs maio maj maja may mayo mayıs maí mei máj mája május touko
    toukokuu toukokuuta μάι μάιοσ май мая мај трав травень травня
    """,
    """
    birž birželio birželis cze czerwca czerwiec eka ekaina giu giugno haz haziran iun iunie juin jun june junho juni junij junio juny
    juuni jún júna június júní jūn jūnijs kesä kesäkuu kesäkuuta červen června čvn ιουν ιουνίου ιούν ιούνιοσ июн июнь июня черв
    червень червня юни јун
    """,
    """
    heinä heinäkuu heinäkuuta iul iulie juil juillet jul julho juli julij julio juliol july juuli júl júla július júlí jūl jūlijs liep
    liepa liepos lip lipca lipiec lug luglio tem temmuz uzt uztaila července červenec čvc ιουλ ιουλίου ιούλ ιούλιοσ июл июль июля лип
    липень липня юли јул
    """,
    """
    abu abuztua ag ago agost agosto agu agustus août aug august augusta augusti augusts augustus augusztus avg avgust ağu ağustos elo
    elokuu elokuuta rugp rugpjūtis rugpjūčio sie sierpień sierpnia srp srpen srpna ágú ágúst αυγ αυγούστου αύγ αύγουστοσ авг август
    августа серп серпень серпня
    """,
    """
    eyl eylül ira iraila rugs rugsėjis rugsėjo sep sept septembar september septembra septembre septembrie septembris septiembre set
    setembre setembro settembre syys syyskuu syyskuuta szept szeptember wrz wrzesień września zář září σεπ σεπτέμβριοσ σεπτεμβρίου вер
    вересень вересня сент сентябрь сентября сеп септембар септември
    """,
    """
    eki ekim loka lokakuu lokakuuta oct october octobre octombrie octubre okt oktobar oktober oktobris oktoober október októbra ott
    ottobre out outubro paź październik października spal spalio spalis urr urria říj říjen října οκτ οκτωβρίου οκτώβριοσ жовт жовтень
    жовтня окт октобар октомври октябрь октября
    """,
    """
    aza azaroa kas kasım lapkr lapkritis lapkričio lis listopad listopada listopadu marras marraskuu marraskuuta noiembrie nov
    novembar november novembra novembre novembris novembro noviembre nóv nóvember νοέ νοέμβριοσ νοε νοεμβρίου лист листопад листопада
    нов новембар ное ноември нояб ноябрь ноября
    """,
    """
    abe abendua ara aralık dec decembar december decembra decembrie decembris des desember desembre dets detsember dez dezember
    dezembro dic dicembre diciembre déc décembre gru grudnia grudzień gruod gruodis gruodžio joulu joulukuu joulukuuta pro prosince
    prosinec δεκ δεκέμβριοσ δεκεμβρίου груд грудень грудня дек декабрь декабря декември дец децембар
    """,
)
MONTHS = {name: month for month, names in enumerate(_NAMES, start=1) for name in names.split()}
"""The number of a month by its name or abbreviation, folded (see `spelling.folded`) and without a point at the end."""
