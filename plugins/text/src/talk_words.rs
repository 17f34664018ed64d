//! Words of conversation that say little about its subject, by language: what lists of stop words, which are made from
//! written language, leave out. Of Polish and Korean there is no such list, and all their stop words are here. Forms as they are said; case does not matter. Those of English are in [`crate::words`].

pub(crate) const GERMAN_TALK: &str = "sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend million millionen milliarde milliarden prozent kollege kollegen kollegin kolleginnen damen herren liebe lieber geehrte geehrten verehrte präsident präsidentin abgeordnete abgeordneten abgeordneter beifall zuruf zurufe heiterkeit wort rede redner rednerin dank herzlichen viele vielen bekommen bekommt bleibt bleiben steht stehen nächstes guten morgen allem allen \
    ja nein nee doch okay ok genau gut gute guten prima super klar also halt eben mal eigentlich \
    vielleicht natürlich wirklich einfach irgendwie irgendwas irgendwann schon immer gerade heute morgen gestern danach \
    danke bitte hallo tschüss stimmt richtig äh ähm öhm hm mhm na naja tja ach oh sozusagen quasi jedenfalls übrigens \
    bisschen paar sache sachen ding dinge leute frage fragen beispiel glaube glauben denke denken finde finden weiß wissen \
    sage sagen sagt gesagt mache macht gemacht geht gehen gehe ging gegangen kommt kommen komme kam gibt geben gebe sehe sehen sieht \
    schaue schauen müssen müsste muß sollten sollen möchte möchten mag darf dürfen könnten kannst könnt lassen lass lasst brauchen braucht \
    nächste nächsten nächster letzte letzten erste ersten zweite zweiten eins zwei drei vier fünf woche wochen tag tage tagen jahr \
    jahre monat monate uhr minuten mehr weniger ganz ganze ganzen gar fast etwa ungefähr darüber dafür davon dabei daran darauf dazu \
    deshalb deswegen trotzdem außerdem wann warum wieso wozu wer wen wem ihnen allerdings bereits sowie beim herr frau";

pub(crate) const FRENCH_TALK: &str = "quatre cinq six sept huit neuf dix onze douze vingt trente quarante cinquante soixante cent cents mille million millions milliard milliards pourcent pour-cent collègues chers chères président présidente mesdames messieurs dernière dernier prochaine prochain garde part seul seule autant \
    oui non si ouais ok okay d'accord accord bon bonne bien alors donc voilà voila euh ben bah hein quoi enfin \
    peut-être peut être vraiment juste déjà encore toujours jamais aussi très trop plus moins assez beaucoup peu tout tous toute \
    toutes rien quelque quelques chose choses truc gens merci bonjour salut ça cela ceci cette cet comme comment pourquoi quand où car \
    puis ensuite après avant aujourd'hui demain hier maintenant semaine semaines jour jours mois an ans année heure heures minutes \
    faire fait faut falloir faudrait dire dit dis aller va vais vont allons voir vois vu voit savoir sais sait pense penser crois croire \
    veux veut vouloir voudrais peux peuvent pouvoir pourrait dois doit devoir devrait mettre met prendre prend parler donner premier première \
    deux trois quatre cinq autre autres monsieur madame parce sans sous chez vers lors ici là y ont sont être avoir";

pub(crate) const DUTCH_TALK: &str = "zes zeven acht negen tien elf twaalf twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd duizend dertigduizend miljoen miljard procent voorzitter collega collega's geachte allemaal maandag dinsdag woensdag donderdag vrijdag zaterdag zondag goedemorgen \
    ja nee oké ok okay goed goede prima precies dus eigenlijk misschien gewoon echt wel even nou zeg zeggen zegt \
    gezegd denk denken vind vinden weet weten gaan gaat ga ging gegaan komen komt kom kwam maken maakt maak gemaakt kijken kijk kijkt zien ziet \
    geven geeft nemen neemt laten laat moeten mogen mag kunnen kun zullen zouden willen wilde heel erg beetje paar ding dingen mensen \
    vraag vragen dank bedankt hallo dag vandaag morgen gisteren straks daarna week weken dagen jaar maand uur minuten eerste tweede \
    volgende laatste twee drie vier vijf we jullie wij hen waarom wanneer hoeveel waar bijvoorbeeld sowieso natuurlijk inderdaad \
    uh eh uhm hm zeker klopt graag meneer mevrouw per binnen via";

pub(crate) const SPANISH_TALK: &str = "seis siete ocho nueve diez once doce veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento cientos mil millón millones ciento señores señoras señorías presidente presidenta colegas lunes martes miércoles jueves viernes sábado sábados domingo tarde \
    sí si no vale bueno buena bien claro pues entonces así okay ok eh este ah o sea digamos verdad quizá quizás \
    tal vez realmente simplemente solo sólo ya aún todavía siempre nunca ahora luego después antes hoy mañana ayer semana semanas día días \
    mes meses año años hora horas minutos cosa cosas gente gracias hola adiós favor pregunta preguntas ejemplo creo creer pienso pensar sé \
    saber digo decir dice dicho hago hacer hace hecho hacemos voy va vamos van ir veo ver vemos visto doy dar da puedo puede podemos pueden poder podría quiero \
    quiere queremos querer debo debe debemos deber hay haber tener necesito necesitamos parece primer primera primero segundo segunda \
    próximo próxima último última dos tres cuatro cinco cada mismo misma todas toda tan tanto menos casi aquí ahí allí señor señora \
    según mediante aunque sino además";

pub(crate) const ITALIAN_TALK: &str = "sei sette otto nove dieci undici dodici venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento mila mille milione milioni miliardo miliardi colleghi colleghe presidente onorevole onorevoli signori signore entro durante lunedì martedì mercoledì giovedì venerdì sabato domenica \
    sì si no ok okay bene buono buona beh boh eh ah allora dunque quindi cioè ecco insomma magari forse davvero proprio \
    semplicemente solo già ancora sempre mai adesso ora poi dopo prima oggi domani ieri settimana settimane giorno giorni mese mesi \
    anno anni ore minuti cosa cose gente grazie ciao buongiorno prego domanda domande esempio credo credere penso pensare so sapere \
    dico dire dice detto fare fatto vado va andare andiamo vanno vedo vedere vediamo visto dare posso può possiamo possono potere potrebbe voglio \
    vuole vogliamo volere vorrei devo deve dobbiamo devono dovere serve bisogna sembra primo seconda secondo prossimo prossima ultimo ultima due \
    tre quattro cinque ogni stesso stessa molto molti poco pochi troppo meno quasi qui qua lì là signor signora mentre però invece inoltre";

pub(crate) const PORTUGUESE_TALK: &str = "seis sete oito nove dez onze doze vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento centos oitocentos mil milhão milhões colegas presidente deputado deputados segunda-feira terça-feira quarta-feira quinta-feira sexta-feira feira sábado domingo \
    sim não ok okay bem bom boa tá pois então assim né ah eh é claro certo tipo olha talvez realmente apenas só \
    ainda sempre nunca agora logo depois antes hoje amanhã ontem semana semanas dia dias mês meses ano anos hora horas minutos coisa \
    coisas gente obrigado obrigada olá oi favor pergunta perguntas exemplo acho achar penso pensar sei saber digo dizer diz dito faço \
    fazer faz feito vou vai vamos vão ir vejo ver vemos visto dar dá posso pode podemos podem poder poderia quero quer queremos querer devo \
    deve devemos dever ter preciso precisamos precisa parece primeiro primeira segundo segunda próximo próxima último última dois duas \
    três quatro cinco cada mesma todo toda todos todas tão tanto menos quase aqui ali lá senhor senhora porque embora além sobre";

pub(crate) const CHINESE_TALK: &str = "我们 你们 他们 她们 大家 这个 那个 这些 那些 什么 怎么 为什么 因为 所以 但是 如果 然后 可以 需要 应该 可能 觉得 知道 \
    认为 现在 今天 明天 昨天 下周 上周 本周 这样 那样 没有 不是 就是 还有 已经 时候 问题 谢谢 好的 是的 一个 一下 一点 的话 进行 完成";

pub(crate) const JAPANESE_TALK: &str =
    "今日 明日 昨日 今週 来週 先週 今回 次回 必要 場合 時間 自分 我々 皆様 皆 一番 大丈夫 本当 可能";

pub(crate) const POLISH_TALK: &str = "i a o w we z ze na do od po za przez dla przy pod nad przed bez u między się nie tak to ten ta te tego \
    tej tym tych temu tę tą ci tamten jest są był była było były być będzie będą będę jestem jesteśmy mam mamy ma mają miał może możemy można \
    mogę mogą muszę musi musimy trzeba chcę chce chcemy że żeby aby bo ponieważ ale lecz więc jeśli jeżeli gdy kiedy jak jaki jaka jakie co \
    kto kogo komu czego czy gdzie który która które którzy którego której których ja ty on ona ono my wy oni mnie mi mną ciebie cię tobie jego jej \
    go mu ją im ich nas nam nami was wam pan pani nasz nasza nasze mój moja moje swój swoje już jeszcze tylko też także również bardzo \
    dobrze dobry dobra okej ok tutaj tu tam teraz potem później dzisiaj dziś jutro wczoraj zawsze nigdy wszystko wszyscy coś ktoś nic \
    dziękuję proszę cześć dzień no właśnie oczywiście chyba raczej po prostu lub albo oraz jako niż sobie siebie tydzień tygodnia";

pub(crate) const KOREAN_TALK: &str = "그 이 저 그리고 그런데 그래서 하지만 그러면 그럼 네 예 아니요 아니 오늘 오늘은 내일 어제 지금 이번 다음 우리 우리는 저는 제가 \
    저희 것 거 수 때 좀 더 잘 다 또 및 등 매우 아주 정말 하고 그대로 있습니다 있을까요 있나요 합니다 하겠습니다 했습니다 해야 됩니다 \
    감사합니다 안녕하세요";

pub(crate) const RUSSIAN_TALK: &str = "шесть семь восемь девять десять сто тысяча тысяч миллион миллионов миллиард процентов коллеги уважаемые председатель каждую каждый году \
    это эта эти этих этим этими эту ещё еще уже нет очень просто нужно надо сегодня завтра вчера сейчас потом \
    теперь тогда который которая которое которые которых которого которой значит вообще конечно наверное пожалуйста спасибо хорошо ладно \
    давайте давай привет здравствуйте кстати например поэтому потому также тоже либо пока всё все всем весь вся мой наш наша наши ваш \
    свой свои сам сами будем будут буду были есть быть могу можем может могут должны должен хочу хотим знаю знаем думаю думаем говорим \
    говорю говорит скажу сказал делать делаем сделать день дня неделя недели неделю месяц года год раза два три четыре пять первый второй \
    следующий следующей вопрос вопросы ага угу ну вот так";

pub(crate) const SWEDISH_TALK: &str = "sex sju åtta nio tio hundra tusen miljon miljoner miljard procent talman kolleger herrar damer \
    ja nej okej ok precis bra tack hej just alltså egentligen kanske verkligen bara också redan alltid aldrig idag \
    imorgon igår vecka veckan veckor dag dagar månad år timme minuter sak saker folk fråga frågor exempel tror tycker tänker vet säga säger sa \
    göra gör gjort gå går kommer komma får får måste behöver vill ska skall skulle kunna lite ganska väldigt mer mindre första andra nästa två \
    tre fyra fem herr fru därför eftersom innan sedan medan både";

pub(crate) const THAI_TALK: &str = "ที่ และ ของ ใน เป็น มี ได้ ให้ ไป มา จะ ไม่ ว่า กับ แต่ หรือ ก็ แล้ว จาก โดย เพื่อ ถ้า เพราะ นี้ นั้น ต้อง คือ อยู่ ยัง กว่า มาก \
    ครับ ค่ะ คะ ผม ดิฉัน เรา คุณ เขา มัน ไหม อะไร เมื่อไหร่ อย่างไร ทำไม วันนี้ พรุ่งนี้ เมื่อวาน ขอบคุณ สวัสดี ตกลง ควร คิด ว่า เรื่อง ทุก คน ตั้งแต่ เดือน ปี สัปดาห์ หน้า หรือเปล่า";
