"""How data is asked for, and what it is called: phrases in English, Portuguese and Spanish, without accents."""

from __future__ import annotations

_GIVE_EN = "send|give|share|provide|tell|confirm|upload|attach|drop|text|supply|forward|let|type|post|pop"
_GIVE_PT = "enviar|informar|passar|mandar|dizer|compartilhar|confirmar|fornecer|anexar|dar|indicar"
_GIVE_ES = "enviar|mandar|dar|decir|indicar|compartir|facilitar|pasar|confirmar|proporcionar|adjuntar|brindar|dejar|enviarme|mandarme|darme|decirme|indicarme|compartirme|facilitarme|pasarme|confirmarme|proporcionarme|brindarme|adjuntarme"

ASKS = {
    "asks": f"""
could|can|would|will|may|might you|u|ya ?please ?kindly ?just ?also ?quickly {_GIVE_EN}
please|kindly|pls ?also ?just {_GIVE_EN}|reply|include|state
{_GIVE_EN} me|us|over|here|your|the
send|share|give|provide|upload|attach ?me ?us a|the|your
i|we|i'd|we'd|i'll ?will|would|do|just|also|still ?just ?also ?still need|require ?to ?know|have|get your|the|a|an|some
would|i'd need|like ?to ?know|have your|the
may|can|could i|we ?just ?also ?please get|have|ask|take
what|which|what's|whats ?is|was|are|email|e|order|phone|name ?is|was|are ?the ?your
do|would you ?happen ?to have|know|remember
pode|poderia|consegue|podes|podia|poderias ?por ?favor ?me ?tambem ?so {_GIVE_PT}
me|so ?por ?favor ?tambem informa|informe|passa|passe|manda|mande|envia|envie|diz|diga|fala|fale|confirma|confirme|compartilha|compartilhe|da|de|conta|conte
informe|envie|mande|passe|diga|compartilhe|confirme|envia|manda|anexe|anexa ?por ?favor ?me ?aqui ?tambem o|a|os|as|seu|sua|uma|um|para
preciso|precisamos|precisaria|necessito ?so ?apenas ?tambem de|do|da|que|dos|o|a
por favor informe|envie|mande|passe|diga|compartilhe
qual|quais ?e|seria|era|foi ?mesmo o|a|seu|sua|numero|email|e|nome|pedido
puedes|podrias|podria|puede|podes|pudieras|pudiera|podrian ?por ?favor ?me {_GIVE_ES}
me ?lo ?puedes ?podrias ?podria ?puede ?podes {_GIVE_ES}|das|da|dices|dice|indicas|indica|compartes|comparte|facilitas|facilita|pasas|pasa|mandas|manda|envias|envia|confirmas|confirma|proporcionas|proporciona|brindas|brinda|dejas|deja|platica|cuentas|cuenta
dame|dime|pasame|enviame|mandame|indicame|comparteme|facilitame|confirmame|digame|deme|paseme|enviame|envieme|mandeme|indiqueme|comparta|proporcione|proporcioname|decime|contame|mandanos|envianos|indique|adjunta|adjunte
necesito|necesitaria|necesitamos|requiero|ocupo ?que ?me el|la|tu|su|un|una|los|las|me
cual|cuales|que ?es|fue|era tu|su|el|la|numero|correo|nombre|pedido
""",
    "datum_order": """
order|booking|purchase|confirmation|reference number|no|id|code|reference|nr
number ..2 of|for your|the ..1 order|purchase
which|what order ?number ?is|was
order it|this is|was
numero|codigo|n|no|nro ?del ?do ?de ?tu ?su ?seu ?teu ?la ?el pedido|compra|orden
qual|que pedido
qual e ?o ?seu pedido
cual|que pedido
cual es ?el ?tu ?su pedido
""",
    "datum_email": """
email|correo|gmail
e mail
endereco de email|e
""",
    "datum_phone": """
phone|telephone|mobile|cell|contact|whatsapp number
phone
telefone|telefono|celular
""",
    "datum_name": """
your|full name
seu|teu nome
tu|su nombre
""",
    "datum_company": """
company name
razao social
razon social
""",
    "datum_tax": """
cnpj|cpf|rfc|cuit|cif|nif|vat
tax number|id|no
""",
    "datum_zip": """
zip
zip|postal|post code
postcode|cep
codigo|cod postal
""",
    "datum_photo": """
photo|photos|picture|pictures|pic|pics|photograph
foto|fotos|imagem|imagens|fotografia
imagen|imagenes|fotografia|fotografias
""",
    "datum_story": """
how can|may i|we help|assist
what ..3 help|assist ..1 you
what can|may i do
what ..2 happened|about
what's|whats it|this|happening|wrong
what seems|is ..2 problem|issue|matter
tell ..1 ..4 happened|problem|issue|about
como posso|podemos|poderia ?te ?lhe ajudar|ajuda
em que posso ajudar|ajuda
no que posso
o que houve|aconteceu
o que ..3 aconteceu|houve|acontecendo|problema
qual ..3 problema|motivo|assunto
me conta|conte|explica|explique ..2 caso|aconteceu|problema|houve|que
en que ?te ?le ?lo ?los puedo|podemos|puede ?te ?le ?lo ayudar|ayudarte|ayudarle|ayudo|servir|servirle|apoyar|apoyo|apoyarle
como ?te ?le ?lo puedo|podemos ayudar|ayudarte|ayudarle
en que ?te ?le ?lo ayudo|apoyo
de que se trata
que paso|sucedio|ocurrio|sucede
que ?te ?le paso|sucedio|ocurrio
cual ..3 problema|motivo|inconveniente
me platica|cuenta|cuentas|platicas|explica|explicas|comenta|comentas ..2 que|caso|problema|trata|su|tu|situacion
""",
    # It is another one that is asked for, or a better one, or what was given is only confirmed.
    "another": """
other|another|different|else|new|alternative|again|closer|clearer|better|sharper|second|instead|more|exact|wife's|husband's
outro|outra|outros|outras|novo|nova|diferente|novamente|melhor|nitida|perto|mais|segunda
otro|otra|otros|otras|nuevo|nueva|diferente|mejor|nitida|cerca|mas|segunda|distinto|distinta|clara
""",
    "unreadable": """
blurry|blurred|blur|unreadable|unclear|dark
can't|cannot|couldn't|can see|read|open|find|make
not|doesn't|didn't|isn't|don't ..2 find|found|match|exist|valid|appear|show|recognise|recognize|clear|visible|come|work|complete|see
nothing|no ..3 found|comes|under|with|results|match
incomplete|invalid|missing
borrad*|desfocad*|ilegivel|escura|tremid*|embacad*
nao ..3 encontro|encontrei|localizo|localizei|existe|aparece|consta|achei|acho|consigo|abriu|carregou|da|bate|e
nada encontrei|aparece|consta
invalido|incompleto|incorreto
borros*|desenfocad*|ilegible|oscura|movida
no ..3 encuentro|encontre|aparece|existe|localizo|coincide|veo|figura|sale|alcanzo|logro|puedo|carga|abre
invalido|incompleto|incorrecto
""",
    "not_needed": """
no need|don't|not|without ..3 need|have|send|share|to|give|necessary|required
never send|share
please|do|never not|don't ..1 send|share|post|give|type
i'll|i|we'll|we|i've|we've ?will ?have ?just ?already ?also send|sent|share|give|post
nao ..2 precisa|envie|mande|passe|compartilhe|informe|necessario
sem precisar
te|lhe|vou|ja ?te envio|enviei|mando|enviar|mandar|mandei
no ..2 necesitas|necesita|hace|envies|mandes|compartas|compartir|comparta|pases|necesario|tienes|tiene
te|le|ya ?te ?le envio|mando|envie|mande|enviare|mandare
sin necesidad
""",
}
