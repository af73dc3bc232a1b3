"""The words that WhatsApp writes in the phone's language: for what an export leaves out, what was deleted or edited,
for an attached file, and how its own notices begin. Data only; phrases end at `|`.
"""

from __future__ import annotations

# What stands for something that was sent and is not in the file, by what that was.
LEFT_OUT = {
    "media": """media omitted | multimedia omitido | archivo omitido | se omitió archivo multimedia |
 mídia omitida | mídia oculta | arquivo de mídia oculto | arquivo oculto | ficheiro não revelado |
 medien ausgeschlossen | medien weggelassen | médias omis | fichier omis | media omessi | media omesso |
 media weggelaten | media weggelaat | без медиафайлов | файл пропущен | medya dahil edilmedi | medya atlanmış |
 メディアは含まれていません | メディアなし | 省略多媒體檔案 | 省略多媒体文件 | 忽略多媒體檔 | 媒体省略 |
 多媒体已省略 | 미디어 파일을 생략한 대화내용 | 미디어 파일 제외됨 | تم استبعاد الوسائط | رسانه حذف شد |
 میڈیا چھوڑ دیا گیا | המדיה לא נכללה | מדיה הושמטה | मीडिया के बिना |
 मीडिया शामिल नहीं किया गया | मीडिया छोड़ा गया | মিডিয়া বাদ দেওয়া হয়েছে |
 media buraxıldı | media çıxarılmışdır | без файл | fitxers multimèdia omesos | mitjans omesos |
 média vynechány | média vynechána | medier udeladt | mediefil udeladt | αρχείο παραλήφθηκε |
 εξαίρεση πολυμέσων | meedia välja jäetud | meedia ära jäetud | media jätettiin pois | media jätetty pois |
 medijski zapis izostavljen | média elhagyva | hiányzó médiafájl | media tidak disertakan |
 media dikecualikan | media disingkirkan | файлдар қосылмаған | medija praleista | praleistas medijos turinys |
 nav iekļauta multivide | bez multivides | media utelatt | uten vedlegg | media utelämnat |
 media har utelämnats | pominięto multimedia | pliki pominięto | conținut media omis | médiá vynechané |
 datoteke izpuščene | medij izpuščen | media u hoq | media hequr | медији су изостављени |
 media hazijajumuishwa | media imerukwa | கோப்புகள் விடப்பட்டன | మీడియా విస్మరించబడింది | ไฟล์สื่อถูกลบ |
 สื่อถูกลบ | walang kalakip na media | медіа пропущено | fayl o‘tkazib yuborildi | bỏ qua tệp phương tiện |
 bỏ qua media""",
    "image": """image omitted | photo omitted | imagen omitida | foto omitida | imagem ocultada |
 imagem oculta | imagem omitida | imagem não revelada | foto ocultada | bild weggelassen | foto weggelassen |
 image absente | image omise | photo omise | immagine omessa | foto omessa | afbeelding weggelaten |
 foto weggelaten | изображение отсутствует | зображення відсутнє | görüntü dahil edilmedi |
 画像は省略されました | 圖片已省略 | 图片已省略 | 图像已省略 | 이미지 생략됨 | لم يتم إدراج الصورة |
 الصورة غير مشمولة | obrázek vynechán | bilde utelatt | bild utelämnad | gambar tidak disertakan |
 התמונה הושמטה | view once photo omitted""",
    "sticker": """sticker omitted | sticker omitido | figurinha omitida | figurinha ocultada |
 figurinha oculta | sticker não revelado | sticker weggelassen | sticker omis | sticker absent |
 sticker omesso | sticker non incluso | sticker weggelaten | стикер не добавлен | стикер отсутствует |
 наклейку не додано | çıkartma dahil edilmedi | スタンプは省略されました | 貼圖已省略 | 贴图已省略 |
 스티커 생략됨 | تم حذف الملصقات | nálepka vynechána""",
    "gif": """gif omitted | gif omitido | gif omitida | gif ocultado | gif não revelada | gif weggelassen |
 gif retiré | gif absent | gif omis | gif omesso | gif esclusa | gif weggelaten | gif отсутствует |
 gif-анімацію пропущено | gifは省略されました | gif已省略 | gif 생략됨 | لم يتم إدراج صورة gif | gif vynechán |
 gif dahil edilmedi""",
    "voice": """audio omitted | voice message omitted | view once voice message omitted | audio omitido |
 áudio ocultado | áudio oculto | áudio omitido | mensagem de voz ocultada | ficheiro de áudio não revelado |
 audio weggelassen | sprachnachricht weggelassen | audio omis | audio absent | message vocal omis |
 audio omesso | audio weggelaten | аудио отсутствует | аудіо відсутнє | ses dahil edilmedi |
 音声メッセージは省略されました | 音声は省略されました | 語音訊息已省略 | 音訊已省略 | 音频已省略 |
 오디오 생략됨 | لم يتم إدراج المقاطع الصوتية | audio vynecháno | הקלטת השמע הושמטה""",
    "video": """video omitted | video message omitted | video note omitted | video omitido | vídeo omitido |
 vídeo ocultado | vídeo oculto | vídeo não revelado | video weggelassen | videonachricht weggelassen |
 vidéo absente | vidéo omise | video omesso | video weggelaten | видео отсутствует | відео відсутнє |
 video dahil edilmedi | 動画は省略されました | 影片已省略 | 视频已省略 | 동영상 생략됨 |
 لم يتم إدراج الفيديوهات | الفيديو غير مشمول | video vynecháno | הסרטון הושמט | view once video omitted""",
    "document": """document omitted | documento omitido | documento ocultado | documento oculto |
 documento não revelado | dokument weggelassen | document manquant | document absent | document omis |
 documento omesso | document weggelaten | документ отсутствует | документ пропущено | belge dahil edilmedi |
 文書は省略されました | 文件已省略 | 文档已省略 | 문서 생략됨 | لم يتم إدراج المستند | dokument vynechán |
 המסמך הושמט""",
    "contact": """contact card omitted | tarjeta de contacto omitida | cartão de contato ocultado |
 cartão do contato omitido | contacto não revelado | kontaktkarte ausgelassen | kontaktkarte weggelassen |
 fiche contact manquante | fiche contact absente | fiche contact omise | scheda contatto omessa |
 contactkaart weggelaten | карточка контакта отсутствует | картка контакту відсутня |
 kişi kartı dahil edilmedi | 連絡先カードは省略されました | 聯絡人名片已省略 | 联系人名片已省略 |
 연락처 카드 생략됨 | لم يتم إدراج بطاقة جهة اتصال | vizitka vynechána""",
}
DELETED = """this message was deleted | you deleted this message | message deleted | mensagem apagada |
 esta mensagem foi apagada | você apagou esta mensagem | apagou esta mensagem | essa mensagem foi apagada |
 se eliminó este mensaje | este mensaje fue eliminado | eliminaste este mensaje |
 diese nachricht wurde gelöscht | du hast diese nachricht gelöscht | ce message a été supprimé |
 vous avez supprimé ce message | questo messaggio è stato eliminato | hai eliminato questo messaggio |
 dit bericht is verwijderd | je hebt dit bericht verwijderd | данное сообщение удалено |
 вы удалили данное сообщение | это сообщение удалено | це повідомлення було видалено |
 ви видалили це повідомлення | bu mesaj silindi | bu mesajı sildiniz | tato zpráva byla smazána |
 tuto zprávu jste smazal/a | ta wiadomość została usunięta | usunięto tę wiadomość | pesan ini telah dihapus |
 anda telah menghapus pesan ini | このメッセージは削除されました | 此訊息已刪除 | 此消息已删除 |
 您已刪除此訊息 | 메시지가 삭제되었습니다 | تم حذف هذه الرسالة | حذفت هذه الرسالة |
 لقد حذفت هذه الرسالة | ההודעה נמחקה | הודעה זו נמחקה | מחקת הודעה זו | מחקת את ההודעה הזו |
 您已删除这条消息 | 您已删除此消息 | 你已删除此消息 | 你删除了此消息 | 你已刪除此訊息 | 此訊息已被刪除 |
 このメッセージを削除しました | 이 메시지를 삭제했습니다 | 삭제된 메시지입니다 | यह मैसेज मिटाया गया |
 आपने यह मैसेज मिटाया | यह मैसेज डिलीट किया गया | आपने यह मैसेज डिलीट किया | यह संदेश हटा दिया गया |
 आपने यह संदेश हटा दिया"""
EDITED = """this message was edited | message edited | mensagem editada | esta mensagem foi editada | editada |
 se editó este mensaje | mensaje editado | este mensaje fue editado | diese nachricht wurde bearbeitet |
 ce message a été modifié | questo messaggio è stato modificato | dit bericht is bewerkt |
 bu mesaj düzenlendi | сообщение изменено | данное сообщение изменено | tato zpráva byla upravena |
 pesan ini telah diedit | 此訊息已編輯 | 此消息已编辑 |
 تم تعديل هذه الرسالة | הודעה זו נערכה | ההודעה נערכה | このメッセージは編集されました | 메시지가 수정되었습니다 |
 इस मैसेज को बदला गया है | यह मैसेज एडिट किया गया"""
ATTACHED = """attached | file attached | adjunto | archivo adjunto | anexado | anexo | arquivo anexado |
 ficheiro anexado | anhang | datei angehängt | pièce jointe | fichier joint | joint | allegato |
 file allegato | bijlage | bijgevoegd | bestand bijgevoegd | вложение | прикреплено | файл добавлен |
 ekli dosya | dosya ekli | eklendi | 添付 | 添付ファイル | 附件 | 附件檔案 | 文件附件 | 첨부 | 파일 첨부됨 |
 مرفق | ملف مرفق | přiloženo | załączono | plik załączony | terlampir | file terlampir"""
# How WhatsApp's own sentences begin, whoever's name stands before them.
NOTICES = """messages and calls are end-to-end encrypted | messages to this chat and calls are |
 messages you send to this | messages to this group are | as mensagens e as chamadas são |
 as mensagens e as ligações são | as mensagens e chamadas são | as mensagens são protegidas |
 as mensagens que você enviar | los mensajes y las llamadas están cifrados | los mensajes y llamadas |
 nachrichten und anrufe sind ende-zu-ende | nachrichten, die du in diesem chat |
 les messages et les appels sont chiffrés | les messages et appels |
 i messaggi e le chiamate sono crittografati | berichten en gesprekken zijn end-to-end |
 berichten en oproepen zijn end-to-end | сообщения и звонки защищены | повідомлення й дзвінки захищено |
 mesajlar ve aramalar uçtan uca | zprávy a hovory jsou | wiadomości i połączenia są |
 pesan dan panggilan terenkripsi | メッセージと通話はエンドツーエンド | 訊息和通話 | 訊息與通話 | 消息和通话 |
 메시지와 통화는 | الرسائل والمكالمات مشفرة | ההודעות והשיחות מוצפנות"""
